/** What the command tells a script by its exit code. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  unconfirmed: 3,
  unavailable: 4
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** For the end of every help page. */
export const exitCodesHelp = `
Exit codes:
  0  done
  1  refused or failed, or there are findings
  2  wrong usage or configuration: nothing was done
  3  recorded, but not yet true everywhere: unconfirmed, or stopped before the end
  4  a dependency is away: Postgres does not answer`
