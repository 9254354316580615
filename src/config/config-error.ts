export interface ConfigProblem {
  readonly variable: string
  /** What was given, as it may be shown. */
  readonly given: string
  readonly allowed: string
}

/** The environment is wrong. The message names every wrong variable, and quotes no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(formatProblems(problems))
    this.problems = problems
  }
}

function formatProblems(problems: readonly ConfigProblem[]): string {
  const nameWidth = Math.max(...problems.map(({ variable }) => variable.length))
  const givenWidth = Math.max(...problems.map(({ given }) => given.length))
  const lines = problems.map(
    ({ variable, given, allowed }) =>
      `  ${variable.padEnd(nameWidth)}  given: ${given.padEnd(givenWidth)}  allowed: ${allowed}`
  )
  const count = problems.length === 1 ? '1 variable is' : `${problems.length} variables are`
  return [`${count} wrong in the configuration:`, ...lines].join('\n')
}
