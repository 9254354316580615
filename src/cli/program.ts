import { Command, CommanderError } from 'commander'
import { commandDefiner, type Define, type Host } from './command.js'
import { type ExitCode, exitCodes, exitCodesHelp } from './exit-codes.js'

const description = `Operate a Keycard deployment from a terminal.

The commands talk to Postgres and Redis directly, so they work while the API is down.
Run them where the service runs, with the same environment.`

type DefineCommands = (program: Command, define: Define) => void

/**
 * In the order of the help page. Each is loaded when it is asked for: most of what a command takes from
 * the machine would else be the loading of all the others.
 */
const commands: Readonly<Record<string, () => Promise<DefineCommands>>> = {
  start: async () => (await import('./commands/start.js')).defineStart,
  migrate: async () => (await import('./commands/migrate.js')).defineMigrate,
  doctor: async () => (await import('./commands/doctor.js')).defineDoctor,
  status: async () => (await import('./commands/status.js')).defineStatus,
  users: async () => (await import('./commands/users.js')).defineUsers,
  sessions: async () => (await import('./commands/sessions.js')).defineSessions,
  revoke: async () => (await import('./commands/revoke.js')).defineRevoke,
  incidents: async () => (await import('./commands/incidents.js')).defineIncidents,
  keys: async () => (await import('./commands/keys.js')).defineKeys,
  audit: async () => (await import('./commands/audit.js')).defineAudit,
  mint: async () => (await import('./commands/mint.js')).defineMint
}

/** Runs one command line. @returns the exit code */
export async function runProgram(
  argv: readonly string[],
  host: Omit<Host, 'exit'>
): Promise<ExitCode> {
  let exit: ExitCode = exitCodes.done
  const defineCommand = commandDefiner({
    ...host,
    exit(code) {
      exit = code
    }
  })
  const program = createProgram()
  for (const define of await commandsFor(argv)) define(program, defineCommand)
  withExitCodes(program)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exit
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return exitCodes.done
    // Commander has complained on stderr already; a script gets its document nevertheless.
    const message = error.message.replace(/^error: /, '')
    const value = { error: { exit: exitCodes.usage, message } }
    if (argv.includes('--json')) host.terminal.print({ value, text: '' }, true)
    return exitCodes.usage
  }
}

/** The one that is meant; all of them for the help page, and for whoever mistypes. */
async function commandsFor([name = '']: readonly string[]): Promise<DefineCommands[]> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  const loads = load === undefined ? Object.values(commands) : [load]
  return await Promise.all(loads.map((each) => each()))
}

function createProgram(): Command {
  return new Command('keycard')
    .description(description)
    .exitOverride()
    .showHelpAfterError('Add --help to see how it is used.')
    .helpCommand('help [command]', 'explain a command')
}

/** The table of exit codes stands at the end of every help page. */
function withExitCodes(command: Command): void {
  command.addHelpText('after', exitCodesHelp)
  for (const child of command.commands) withExitCodes(child)
}
