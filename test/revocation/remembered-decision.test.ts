import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { type CoveredClaims, decide } from '../../src/revocation/decision.js'
import { createRememberedDecision } from '../../src/revocation/remembered-decision.js'
import { RevocationState, type RevocationEvent } from '../../src/revocation/state.js'

const ids = Array.from({ length: 3 }, () => randomUUID())
const id = fc.constantFrom(...ids)
const level = fc.integer({ min: 0, max: 3 })
const liveUntil = fc.integer({ min: 1, max: 9_000 })
const token: fc.Arbitrary<CoveredClaims> = fc.record({
  jti: id,
  sid: id,
  sub: id,
  ver: level,
  gen: level
})
const event: fc.Arbitrary<RevocationEvent> = fc.oneof(
  fc.record({ kind: fc.constantFrom('token' as const, 'session' as const), target: id, liveUntil }),
  fc.record({ kind: fc.constant('user' as const), target: id, level, liveUntil }),
  fc.record({ kind: fc.constant('everyone' as const), level })
)
const step = fc.oneof(
  { weight: 1, arbitrary: event.map((what) => ({ kind: 'apply', what }) as const) },
  { weight: 1, arbitrary: event.map((what) => ({ kind: 'merge', what }) as const) },
  { weight: 1, arbitrary: fc.nat(9_000).map((nowMs) => ({ kind: 'forget', nowMs }) as const) },
  { weight: 6, arbitrary: fc.nat(4).map((index) => ({ kind: 'ask', index }) as const) }
)

t.test('whatever comes in between, what is remembered is what would be decided', async () => {
  const tokens = fc.array(token, { minLength: 5, maxLength: 5 })
  fc.assert(
    fc.property(tokens, fc.array(step, { maxLength: 60 }), (claims, steps) => {
      const state = new RevocationState()
      const remembered = createRememberedDecision(state)
      for (const next of steps) {
        if (next.kind === 'apply') state.apply(next.what)
        else if (next.kind === 'merge') state.merge(stateOf(next.what))
        else if (next.kind === 'forget') state.forgetExpired(next.nowMs)
        else {
          const asked = claims[next.index]
          if (asked === undefined) return false
          const expected = decide(asked, state).kind
          if (remembered(asked).kind !== expected) return false
        }
      }
      return true
    }),
    { numRuns: 1_000 }
  )
})

function stateOf(what: RevocationEvent): RevocationState {
  const state = new RevocationState()
  state.apply(what)
  return state
}
