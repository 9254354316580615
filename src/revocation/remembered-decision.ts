import { type CoveredClaims, decide, live, type Verdict } from './decision.js'
import type { RevocationState } from './state.js'

/**
 * `decide` on a state in memory, which remembers whom it found live and at which revision of the
 * state: as long as nothing was revoked since, the answer is the same, and the tables, which are
 * large where much was revoked, need not be fetched from memory. Claims are told apart by identity.
 */
export function createRememberedDecision(
  state: RevocationState
): (claims: CoveredClaims) => Verdict {
  const foundLiveAt = new WeakMap<CoveredClaims, number>()

  return function decideFromMemory(claims) {
    const { revision } = state
    if (foundLiveAt.get(claims) === revision) return live
    const verdict = decide(claims, state)
    if (verdict === live) foundLiveAt.set(claims, revision)
    return verdict
  }
}
