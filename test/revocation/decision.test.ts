import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { decide, type CoveredClaims } from '../../src/revocation/decision.js'
import { RevocationState, type RevocationEvent } from '../../src/revocation/state.js'

const [a, b, c] = [randomUUID(), randomUUID(), randomUUID()]

/** Few ids and levels, so that events and tokens meet often. */
const id = fc.constantFrom(a, b, c)
const level = fc.integer({ min: 0, max: 4 })
const liveUntil = fc.integer({ min: 1, max: 1_000 })

const event: fc.Arbitrary<RevocationEvent> = fc.oneof(
  fc.record({ kind: fc.constant('token' as const), target: id, liveUntil }),
  fc.record({ kind: fc.constant('session' as const), target: id, liveUntil }),
  fc.record({ kind: fc.constant('user' as const), target: id, level, liveUntil }),
  fc.record({ kind: fc.constant('everyone' as const), level })
)
const events = fc.array(event, { maxLength: 12 })
const claims: fc.Arbitrary<CoveredClaims> = fc.record({
  jti: id,
  sid: id,
  sub: id,
  ver: level,
  gen: level
})

function stateOf(list: readonly RevocationEvent[]): RevocationState {
  const state = new RevocationState()
  for (const entry of list) state.apply(entry)
  return state
}

/** What the words say, written without the state. */
function covers(entry: RevocationEvent, token: CoveredClaims): boolean {
  switch (entry.kind) {
    case 'token':
      return entry.target === token.jti
    case 'session':
      return entry.target === token.sid
    case 'user':
      return entry.target === token.sub && token.ver < entry.level
    case 'everyone':
      return token.gen < entry.level
  }
}

t.test('a token is revoked exactly when an event covers it', async () => {
  fc.assert(
    fc.property(claims, events, (token, list) => {
      const verdict = decide(token, stateOf(list))
      return (verdict.kind === 'revoked') === list.some((entry) => covers(entry, token))
    }),
    { numRuns: 2_000 }
  )
})

t.test('the order and the repetition of events change no verdict', async () => {
  const shuffledAndRepeated = events.chain((list) =>
    fc.tuple(
      fc.constant(list),
      fc.shuffledSubarray([...list, ...list], { minLength: list.length * 2 })
    )
  )
  fc.assert(
    fc.property(claims, shuffledAndRepeated, (token, [list, other]) => {
      t.same(decide(token, stateOf(list)), decide(token, stateOf(other)))
    }),
    { numRuns: 500 }
  )
})

t.test('merging states is the same as applying all their events to one', async () => {
  fc.assert(
    fc.property(claims, events, events, events, (token, first, second, third) => {
      const left = stateOf(first)
      left.merge(stateOf(second))
      left.merge(stateOf(third))
      const rest = stateOf(third)
      rest.merge(stateOf(second))
      const right = stateOf(first)
      right.merge(rest)
      const whole = decide(token, stateOf([...first, ...second, ...third]))
      t.same(decide(token, left), whole)
      t.same(decide(token, right), whole)
    }),
    { numRuns: 500 }
  )
})

t.test('a further event never brings a token back to life', async () => {
  fc.assert(
    fc.property(claims, events, event, (token, list, further) => {
      const before = decide(token, stateOf(list))
      const after = decide(token, stateOf([...list, further]))
      return before.kind === 'live' || after.kind === 'revoked'
    }),
    { numRuns: 1_000 }
  )
})

t.test('a state survives being taken apart into events', async () => {
  fc.assert(
    fc.property(events, (list) => {
      const state = stateOf(list)
      t.same(
        [...stateOf([...state.events()]).events()].sort(byText),
        [...state.events()].sort(byText)
      )
    }),
    { numRuns: 300 }
  )
})

t.test('the widest revocation is the one that is named', async (t) => {
  const token = { jti: a, sid: b, sub: c, ver: 1, gen: 1 }
  const list: RevocationEvent[] = [
    { kind: 'token', target: a, liveUntil: 10 },
    { kind: 'session', target: b, liveUntil: 10 },
    { kind: 'user', target: c, level: 2, liveUntil: 10 },
    { kind: 'everyone', level: 2 }
  ]
  const named = list.map((_, count) => decide(token, stateOf(list.slice(0, count + 1))))
  t.same(
    named.map((verdict) => verdict.kind === 'revoked' && verdict.by),
    ['token', 'session', 'user', 'everyone']
  )
})

function byText(one: unknown, other: unknown): number {
  return JSON.stringify(one).localeCompare(JSON.stringify(other))
}
