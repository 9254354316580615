/** An error breaks a promise or is about to; a warning costs something or makes an incident harder. */
export type Severity = 'error' | 'warning'

/** Something that is not as it should be in production. */
export interface Finding {
  /** Names the check, for scripts: stable. */
  readonly check: string
  readonly severity: Severity
  /** One sentence on what is so, without any secret. */
  readonly found: string
  /** One sentence on what to do. */
  readonly advice: string
}

/** Looks at facts. Undefined where all is well. */
export type Check<Facts> = (facts: Facts) => Finding | undefined

/** Makes findings of one check. */
export function finder(check: string) {
  const finding =
    (severity: Severity) =>
    (found: string, advice: string): Finding => ({ check, severity, found, advice })
  return { error: finding('error'), warning: finding('warning') }
}

export function run<Facts>(checks: readonly Check<Facts>[], facts: Facts): Finding[] {
  return checks.flatMap((check) => check(facts) ?? [])
}
