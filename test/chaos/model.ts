import type { RevocationKind } from '../../src/revocation/decision.js'
import type { AccessToken, Call, History, Outcome, RefreshToken, Revocation } from './history.js'
import { createModelService, type Change, type ModelPair } from './model-service.js'
import { createRandom, type Random } from './random.js'

/** The history of a service that keeps every promise, with what is known of it from the inside. */
export interface ModelRun {
  readonly history: History
  /** The confirmed revocations that killed a token when they took effect. */
  readonly killers: ReadonlyMap<AccessToken | RefreshToken, readonly Revocation[]>
}

export const modelGraceMs = 400
const users = 4
const nodes = 4

/**
 * Plays so many calls that overlap each other against a service in which each takes effect at one
 * moment, which nobody outside knows: some time between the start and the end of the call, or never
 * or later where the answer was lost.
 */
export function simulate(seed: number, steps: number): ModelRun {
  const random = createRandom(seed)
  const service = createModelService(users, modelGraceMs)
  const calls: Call[] = []
  const tokens: AccessToken[] = []
  const pairs: ModelPair[] = []
  const killed: { readonly change: Change; readonly revocation: Revocation }[] = []
  const queue = createQueue()

  function begin(start: number): void {
    const end = start + random.between(1, 200)
    const node = random.integer(0, nodes - 1)
    const move = draw(random, pairs)
    const isLost = random.chance(0.1)
    const takesEffectAt = isLost ? start + random.between(0, 1_500) : random.between(start, end)
    let change: Change = { outcome: unavailable }
    if (!isLost || random.chance(0.5)) {
      queue.add(takesEffectAt, () => {
        change = service.apply(move, takesEffectAt)
      })
    }
    queue.add(end, () => {
      const { outcome, minted, level } = isLost ? { outcome: unavailable } : change
      const span = { node, start, end, outcome }
      const known = level === undefined ? {} : { level }
      if (move.kind === 'revocation') {
        const revocation: Revocation = { ...move, ...known, route: 'model', ...span }
        calls.push(revocation)
        killed.push({ change, revocation })
      } else calls.push({ ...move, ...span })
      if (minted === undefined) return
      // Known by the object that the service made, which learns here when it came to be known.
      Object.assign(minted.access.minted, { start, end })
      tokens.push(minted.access)
      pairs.push(minted)
    })
  }

  let at = 0
  for (let step = 0; step < steps; step++) {
    const start = (at += random.between(0, 40))
    queue.add(start, () => {
      begin(start)
    })
  }
  const end = queue.play()
  return { history: { nodes, calls, tokens, faults: [], end }, killers: killersOf(killed) }
}

const unavailable: Outcome = {
  kind: 'answered',
  status: 503,
  code: 'DEPENDENCY_UNAVAILABLE',
  retryAfter: true
}

/** What a client asks for. */
export type Move =
  | { readonly kind: 'login'; readonly sub: string }
  | { readonly kind: 'visit'; readonly token: AccessToken }
  | { readonly kind: 'refresh'; readonly token: RefreshToken }
  | {
      readonly kind: 'revocation'
      readonly scope: RevocationKind
      readonly target: string
      readonly by?: AccessToken
      readonly spares?: string
      readonly level?: number
    }

function draw(random: Random, pairs: readonly ModelPair[]): Move {
  const login = { kind: 'login', sub: `user ${random.integer(1, users)}` } as const
  if (pairs.length === 0 || random.chance(0.12)) return login
  const { access, refresh } = random.pick(random.chance(0.5) ? pairs.slice(-6) : pairs)
  const dice = random.between(0, 100)
  if (dice < 60) return { kind: 'visit', token: access }
  if (dice < 80) return { kind: 'refresh', token: refresh }
  const kind = 'revocation'
  if (dice < 86) return { kind, scope: 'session', target: access.sid }
  if (dice < 89) return { kind, scope: 'token', target: access.jti }
  if (dice < 93) return { kind, scope: 'user', target: access.sub }
  if (dice < 98) {
    const { sid, sub, ver } = access
    return { kind, scope: 'user', target: sub, by: access, spares: sid, level: ver + 1 }
  }
  return { kind, scope: 'everyone', target: '' }
}

function killersOf(
  killed: readonly { readonly change: Change; readonly revocation: Revocation }[]
): ModelRun['killers'] {
  const killers = new Map<AccessToken | RefreshToken, Revocation[]>()
  for (const { change, revocation } of killed) {
    const isConfirmed = revocation.outcome.kind === 'answered' && revocation.outcome.status < 300
    for (const token of isConfirmed ? (change.killed ?? []) : []) {
      killers.set(token, [...(killers.get(token) ?? []), revocation])
    }
  }
  return killers
}

function createQueue() {
  let queue: { readonly at: number; readonly run: () => void }[] = []
  return {
    add(at: number, run: () => void): void {
      const later = queue.findIndex((entry) => entry.at > at)
      queue = queue.toSpliced(later < 0 ? queue.length : later, 0, { at, run })
    },
    /** @returns when the last of them was */
    play(): number {
      let now = 0
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        now = next.at
        next.run()
      }
      return now
    }
  }
}
