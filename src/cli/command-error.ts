import { type ExitCode, exitCodes } from './exit-codes.js'

/** The command can't do what it was asked. The message is one sentence that says what to do. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exit: ExitCode

  constructor(exit: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exit = exit
  }
}

/** The command was called wrongly: nothing was done. */
export function misuse(message: string): CommandError {
  return new CommandError(exitCodes.usage, message)
}

/** What was asked for can't be had. */
export function refused(message: string): CommandError {
  return new CommandError(exitCodes.failed, message)
}
