import type { Command } from 'commander'
import { exitCodes, type ExitCode } from './exit-codes.js'
import { type Deployment, type DeploymentOptions, openDeployment } from './deployment.js'
import { describeFailure } from './failure.js'
import type { Report } from './report.js'
import type { Terminal } from './terminal.js'

/** What a command gets besides its arguments. */
export interface CommandContext {
  readonly terminal: Terminal
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  /** Opens the deployment that the environment describes; it is closed when the command ends. */
  readonly open: (options?: Pick<DeploymentOptions, 'issuesTokens'>) => Promise<Deployment>
  /** Aborted by the first Ctrl-C from now on; a second one ends the process as ever. */
  readonly interruption: () => AbortSignal
}

/** The process that commands run in. */
export interface Host extends Pick<CommandContext, 'terminal' | 'env' | 'cwd'> {
  readonly exit: (code: ExitCode) => void
}

export interface CommandSpec<Options> {
  /** As commander reads it: `list [search]`. */
  readonly name: string
  readonly summary: string
  /** Whole sentences for the help page, where the summary doesn't say all. */
  readonly description?: string
  readonly options?: (command: Command) => Command
  /** False for what goes on until it is stopped, and has nothing to report. */
  readonly reports?: false
  /** Undefined where the command says by itself what there is to say. */
  readonly run: (
    context: CommandContext,
    options: Options,
    args: readonly string[]
  ) => Promise<Report | undefined>
}

export type Define = <Options = object>(parent: Command, spec: CommandSpec<Options>) => Command

/** Makes the function that adds a command: with `--json`, one report, one exit code, no stack. */
export function commandDefiner(host: Host): Define {
  return function define<Options>(parent: Command, spec: CommandSpec<Options>): Command {
    const command = parent.command(spec.name).summary(spec.summary)
    command.description(spec.description ?? sentence(spec.summary))
    if (spec.reports !== false) command.option('--json', 'print one JSON document, for scripts')
    spec.options?.(command)
    return command.action(async (): Promise<void> => {
      // Commander has checked them against what the command declares.
      const options = command.opts<Options & { readonly json?: boolean }>()
      host.exit(await execute(host, spec, options, command.args))
    })
  }
}

async function execute<Options>(
  { terminal, env, cwd }: Host,
  spec: CommandSpec<Options>,
  options: Options & { readonly json?: boolean },
  args: readonly string[]
): Promise<ExitCode> {
  const asJson = options.json === true
  const opened: Deployment[] = []
  const context: CommandContext = {
    terminal,
    env,
    cwd,
    interruption,
    async open(more) {
      const deployment = await openDeployment({ env, cwd, note: terminal.note, ...more })
      opened.push(deployment)
      return deployment
    }
  }
  try {
    const report = await spec.run(context, options, args)
    if (report === undefined) return exitCodes.done
    terminal.print(report, asJson)
    return report.exit ?? exitCodes.done
  } catch (error) {
    return fail(terminal, error, asJson)
  } finally {
    terminal.clearProgress()
    for (const deployment of opened) await deployment.close()
  }
}

/** Says why on stderr, and to a script in its document as well. */
function fail(terminal: Terminal, error: unknown, asJson: boolean): ExitCode {
  const failure = describeFailure(error)
  if (asJson) terminal.print({ value: { error: failure }, text: '' }, true)
  terminal.note(`keycard: ${failure.message}`)
  return failure.exit
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`
}

function interruption(): AbortSignal {
  const controller = new AbortController()
  process.once('SIGINT', () => controller.abort())
  return controller.signal
}
