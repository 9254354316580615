import type { Verdict } from './decision.js'
import type { DecisionSource } from './local-node.js'

/** `unknown`: nobody could be asked, which is answered 503. */
export type DecisionCounts = Readonly<
  Record<DecisionSource, Readonly<Record<Verdict['kind'] | 'unknown', number>>>
>

/** Counts verdicts by what they were decided from. On the path of every request: it only adds. */
export function createDecisionCounts() {
  const counts = {
    replica: { live: 0, revoked: 0, unknown: 0 },
    redis: { live: 0, revoked: 0, unknown: 0 },
    database: { live: 0, revoked: 0, unknown: 0 }
  } satisfies DecisionCounts

  return {
    count(source: DecisionSource, verdict: Verdict): Verdict {
      counts[source][verdict.kind] += 1
      return verdict
    },
    countUnknown(): void {
      counts.database.unknown += 1
    },
    read: (): DecisionCounts => counts
  }
}
