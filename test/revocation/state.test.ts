import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { shardCount } from '../../src/revocation/denial-table.js'
import { RevocationState, type RevocationEvent } from '../../src/revocation/state.js'
import { hashUuid } from '../../src/revocation/uuid-hash.js'
import { readUuid } from '../../src/revocation/uuid-words.js'

type TargetedEvent = Exclude<RevocationEvent, { kind: 'everyone' }>

/** What the state is to be, said with a Map. */
class Model {
  generation = 0
  readonly denials = new Map<string, TargetedEvent>()

  apply(event: RevocationEvent): void {
    if (event.kind === 'everyone') {
      this.generation = Math.max(this.generation, event.level)
      return
    }
    const key = `${event.kind} ${event.target}`
    const known = this.denials.get(key)
    const liveUntil = Math.max(Math.ceil(event.liveUntil / 1000) * 1000, known?.liveUntil ?? 0)
    const level = Math.max(levelOf(event), known === undefined ? 0 : levelOf(known))
    this.denials.set(
      key,
      event.kind === 'user' ? { ...event, level, liveUntil } : { ...event, liveUntil }
    )
  }

  merge(other: Model): void {
    for (const event of other.events()) this.apply(event)
  }

  forgetExpired(nowMs: number): void {
    for (const [key, { liveUntil }] of this.denials)
      if (liveUntil <= nowMs) this.denials.delete(key)
  }

  events(): RevocationEvent[] {
    return [{ kind: 'everyone', level: this.generation }, ...this.denials.values()]
  }
}

function levelOf(event: TargetedEvent): number {
  return event.kind === 'user' ? event.level : 1
}

/** As text in one order, so that a comparison is quick. */
function written(events: Iterable<RevocationEvent>): string[] {
  return [...events].map((event) => JSON.stringify(Object.entries(event).sort())).sort()
}

function denies(state: RevocationState, event: TargetedEvent): boolean {
  switch (event.kind) {
    case 'token':
      return state.isTokenDenied(event.target)
    case 'session':
      return state.isSessionDenied(event.target)
    case 'user':
      return state.minimumVersion(event.target) >= event.level
  }
}

/** Sweeps it all: each step takes at least one shard of one of the three kinds. */
function forgetAllExpired(state: RevocationState, nowMs: number): void {
  const steps = state.size < 1_000 ? 1 : 3 * shardCount
  for (let step = 0; step < steps; step++) state.forgetExpired(nowMs)
}

function hashOf(id: string): number {
  const words = new Uint32Array(4)
  readUuid(id, words)
  return hashUuid(words, 0)
}

/** Ids that crowd in one shard, where chains of probes form, wrap around and move. */
const crowded = Array.from({ length: 30_000 }, () => randomUUID()).filter(
  (id) => hashOf(id) >>> 24 === 0
)
const id = fc.nat().map((index) => crowded[index % crowded.length] ?? randomUUID())
const level = fc.integer({ min: 0, max: 4 })
const liveUntil = fc.integer({ min: 1, max: 20_000 })
const event: fc.Arbitrary<RevocationEvent> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('token' as const), target: id, liveUntil })
  },
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('session' as const), target: id, liveUntil })
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('user' as const), target: id, level, liveUntil })
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('everyone' as const), level }) }
)
const events = fc.array(event, { maxLength: 120, size: 'max' })
const step = fc.oneof(
  { weight: 4, arbitrary: events.map((list) => ({ kind: 'apply' as const, list })) },
  { weight: 1, arbitrary: events.map((list) => ({ kind: 'merge' as const, list })) },
  {
    weight: 3,
    arbitrary: fc
      .integer({ min: 0, max: 21_000 })
      .map((nowMs) => ({ kind: 'forget' as const, nowMs }))
  }
)

t.test('whatever happens to it, it holds what a Map would', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
      const [state, model] = [new RevocationState(), new Model()]
      for (const taken of steps) {
        if (taken.kind === 'forget') {
          forgetAllExpired(state, taken.nowMs)
          model.forgetExpired(taken.nowMs)
          continue
        }
        const others = taken.kind === 'merge' && {
          state: new RevocationState(),
          model: new Model()
        }
        for (const entry of taken.list) {
          ;(others ? others.state : state).apply(entry)
          ;(others ? others.model : model).apply(entry)
        }
        if (others) {
          state.merge(others.state)
          model.merge(others.model)
        }
      }
      const expected = model.events()
      if (written(state.events()).join() !== written(expected).join()) return false
      if (state.size !== model.denials.size || state.generation !== model.generation) return false
      return crowded.every(
        (target) =>
          state.isTokenDenied(target) === model.denials.has(`token ${target}`) &&
          state.isSessionDenied(target) === model.denials.has(`session ${target}`) &&
          state.minimumVersion(target) === levelIn(model, target)
      )
    }),
    { numRuns: 400 }
  )
  t.end()
})

function levelIn(model: Model, target: string): number {
  const denial = model.denials.get(`user ${target}`)
  return denial === undefined ? 0 : levelOf(denial)
}

t.test('while it forgets step by step, nothing that is live is forgotten', (t) => {
  const state = new RevocationState()
  const entries: TargetedEvent[] = []
  const strangers = Array.from({ length: 2_000 }, () => randomUUID())
  for (let count = 0; count < 100_000; count++) {
    const until = 1_000 + (count % 50) * 1_000
    const target = randomUUID()
    const entry: TargetedEvent =
      count % 3 === 0
        ? { kind: 'user', target, level: 1 + (count % 7), liveUntil: until }
        : { kind: count % 3 === 1 ? 'token' : 'session', target, liveUntil: until }
    state.apply(entry)
    entries.push(entry)
  }
  t.equal(state.size, 100_000)
  t.notOk(strangers.some((target) => state.isTokenDenied(target)))
  for (let nowMs = 5_000; nowMs <= 51_000; nowMs += 5_750) {
    for (let count = 0; count < 40; count++) state.forgetExpired(nowMs)
    const lost = entries.filter((entry) => entry.liveUntil > nowMs && !denies(state, entry))
    t.equal(lost.length, 0, `at ${nowMs}`)
  }
  forgetAllExpired(state, 51_000)
  t.equal(state.size, 0)
  t.end()
})

t.test('a step forgets no more than a small part of many', (t) => {
  const state = new RevocationState()
  for (let count = 0; count < 50_000; count++) {
    state.apply({ kind: 'session', target: randomUUID(), liveUntil: 1_000 })
  }
  state.forgetExpired(2_000)
  t.ok(state.size > 25_000 && state.size < 50_000, `${state.size} are left`)
  forgetAllExpired(state, 2_000)
  t.equal(state.size, 0)
  t.end()
})

t.test('a revocation is kept to the end of its last second', (t) => {
  const [target = ''] = crowded
  const state = new RevocationState()
  state.apply({ kind: 'session', target, liveUntil: 1_001 })
  for (const nowMs of [0, 1_001, 1_999, NaN]) {
    forgetAllExpired(state, nowMs)
    t.equal(state.isSessionDenied(target), true, `at ${nowMs}`)
  }
  forgetAllExpired(state, 2_000)
  t.equal(state.isSessionDenied(target), false)
  for (const liveUntil of [-5, 0, 2 ** 50, Infinity])
    state.apply({ kind: 'token', target, liveUntil })
  t.equal(state.isTokenDenied(target), true)
  forgetAllExpired(state, Date.now())
  t.equal(state.isTokenDenied(target), true, 'the longest counts')
  t.end()
})

t.test('what cannot be kept is refused, not lost', (t) => {
  const state = new RevocationState(3)
  const target = randomUUID()
  const liveUntil = 1_000
  const refused: RevocationEvent[] = [
    ...[
      target.toUpperCase(),
      target.slice(1),
      `${target}0`,
      target.replaceAll('-', '0'),
      '',
      'a'
    ].flatMap((text): RevocationEvent[] => [
      { kind: 'token', target: text, liveUntil },
      { kind: 'session', target: text, liveUntil },
      { kind: 'user', target: text, level: 1, liveUntil }
    ]),
    ...[-1, 0.5, NaN, 2 ** 32, Infinity].flatMap((impossible): RevocationEvent[] => [
      { kind: 'user', target, level: impossible, liveUntil },
      { kind: 'everyone', level: impossible }
    ]),
    { kind: 'token', target, liveUntil: NaN }
  ]
  for (const entry of refused) t.throws(() => state.apply(entry), TypeError, JSON.stringify(entry))
  t.same([...state.events()], [{ kind: 'everyone', level: 3 }])
  state.apply({ kind: 'user', target, level: 2 ** 32 - 1, liveUntil })
  t.equal(state.minimumVersion(target), 2 ** 32 - 1)
  t.end()
})

t.test('a text that is no UUID is not denied, even where it resembles one', (t) => {
  const target = 'aaaaaaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee'
  const state = new RevocationState()
  state.apply({ kind: 'token', target, liveUntil: 1_000 })
  state.apply({ kind: 'user', target, level: 5, liveUntil: 1_000 })
  t.equal(state.isTokenDenied(target), true)
  const lookAlikes = [target.toUpperCase(), target.replaceAll('-', '_'), target.replace('e', 'u')]
  for (const text of [...lookAlikes, ` ${target}`, target.slice(1), '', '\u{1F600}'.repeat(18)]) {
    t.equal(state.isTokenDenied(text), false, text)
    t.equal(state.minimumVersion(text), 0, text)
  }
  t.end()
})

t.test('ids that differ in one place only are told apart', (t) => {
  for (const at of [0, 4, 9, 14, 19, 24, 28, 32]) {
    const state = new RevocationState()
    const ids = Array.from({ length: 8_192 }, (_, index) => {
      const digits = (index * 8).toString(16).padStart(4, '0')
      return `11111111-2222-3333-4444-555555555555`.replace(/./g, (character, place: number) =>
        place >= at && place < at + 4 ? (digits[place - at] ?? '') : character
      )
    })
    const [denied, others] = [ids.slice(0, 4_096), ids.slice(4_096)]
    for (const target of denied) state.apply({ kind: 'token', target, liveUntil: 1_000 })
    t.equal(state.size, denied.length)
    t.ok(denied.every((target) => state.isTokenDenied(target)))
    t.notOk(others.some((target) => state.isTokenDenied(target)))
  }
  t.end()
})

t.test('its events can be read while it grows and forgets', (t) => {
  const state = new RevocationState()
  const stay = Array.from({ length: 20_000 }, () => randomUUID())
  for (const target of stay) state.apply({ kind: 'session', target, liveUntil: 9_000 })
  const seen = new Map<string, number>()
  let count = 0
  for (const entry of state.events()) {
    if (entry.kind === 'session') seen.set(entry.target, (seen.get(entry.target) ?? 0) + 1)
    for (let added = 0; added < 3; added++) {
      state.apply({ kind: 'session', target: randomUUID(), liveUntil: 1_000 })
    }
    if (++count % 500 === 0) state.forgetExpired(5_000)
  }
  t.ok(stay.every((target) => seen.get(target) === 1))
  t.end()
})

t.test('no pattern of ids crowds in some places', (t) => {
  const hex = (index: number) => index.toString(16).padStart(8, '0')
  const patterns: Record<string, (index: number) => string> = {
    'the first digits count': (index) => `${hex(index)}-0000-7000-8000-000000000000`,
    'the last digits count': (index) => `01890000-0000-7000-8000-0000${hex(index)}`,
    'one digit in each half': (index) =>
      `0189000${hex(index).slice(7)}-0000-7000-8000-${hex(index).slice(3)}0000000`,
    'both halves are alike': (index) => `${hex(index)}-0000-7000-8000-0000${hex(index)}`
  }
  const bits: [name: string, shift: number][] = [
    ['shards', 24],
    ['rows', 16]
  ]
  for (const [pattern, make] of Object.entries(patterns)) {
    const ids = Array.from({ length: 65_536 }, (_, index) => make(index))
    for (const [name, shift] of bits) {
      const counts = new Map<number, number>()
      for (const target of ids) {
        const place = (hashOf(target) >>> shift) & 255
        counts.set(place, (counts.get(place) ?? 0) + 1)
      }
      // 256 on average; twice as many are 16 standard deviations away.
      t.ok(Math.max(...counts.values()) < 512, `${pattern}: ${name}`)
    }
  }
  t.end()
})
