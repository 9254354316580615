import { Command, CommanderError } from 'commander'
import { commandDefiner, type Host } from './command.js'
import { defineAudit } from './commands/audit.js'
import { defineDoctor } from './commands/doctor.js'
import { defineIncidents } from './commands/incidents.js'
import { defineKeys } from './commands/keys.js'
import { defineMigrate } from './commands/migrate.js'
import { defineMint } from './commands/mint.js'
import { defineRevoke } from './commands/revoke.js'
import { defineSessions } from './commands/sessions.js'
import { defineStart } from './commands/start.js'
import { defineStatus } from './commands/status.js'
import { defineUsers } from './commands/users.js'
import { type ExitCode, exitCodes, exitCodesHelp } from './exit-codes.js'

const description = `Operate a Keycard deployment from a terminal.

The commands talk to Postgres and Redis directly, so they work while the API is down.
Run them where the service runs, with the same environment.`

/** Runs one command line. @returns the exit code */
export async function runProgram(
  argv: readonly string[],
  host: Omit<Host, 'exit'>
): Promise<ExitCode> {
  let exit: ExitCode = exitCodes.done
  const define = commandDefiner({
    ...host,
    exit(code) {
      exit = code
    }
  })
  const program = createProgram()
  for (const add of [
    defineStart,
    defineMigrate,
    defineDoctor,
    defineStatus,
    defineUsers,
    defineSessions,
    defineRevoke,
    defineIncidents,
    defineKeys,
    defineAudit,
    defineMint
  ]) {
    add(program, define)
  }
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
