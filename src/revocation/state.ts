import type { RevocationView } from './decision.js'

/**
 * A revocation as it spreads. `liveUntil` (ms since the epoch) is when the last token that it
 * covers has expired; `level` is the smallest version or generation that is still good.
 */
export type RevocationEvent =
  | { readonly kind: 'token'; readonly target: string; readonly liveUntil: number }
  | { readonly kind: 'session'; readonly target: string; readonly liveUntil: number }
  | {
      readonly kind: 'user'
      readonly target: string
      readonly level: number
      readonly liveUntil: number
    }
  | { readonly kind: 'everyone'; readonly level: number }

interface Denial {
  readonly level: number
  readonly liveUntil: number
}

/**
 * The live revocations as a join-semilattice: ids are only added until they expire, levels only
 * rise. Applying an event twice, late or in another order gives the same state, so replays,
 * rebuilds and merges are always safe.
 */
export class RevocationState implements RevocationView {
  #generation: number
  readonly #tokens = new Map<string, Denial>()
  readonly #sessions = new Map<string, Denial>()
  readonly #users = new Map<string, Denial>()

  constructor(generation = 0) {
    this.#generation = generation
  }

  get generation(): number {
    return this.#generation
  }

  isTokenDenied(tokenId: string): boolean {
    return this.#tokens.has(tokenId)
  }

  isSessionDenied(sessionId: string): boolean {
    return this.#sessions.has(sessionId)
  }

  minimumVersion(userId: string): number {
    return this.#users.get(userId)?.level ?? 0
  }

  apply(event: RevocationEvent): void {
    switch (event.kind) {
      case 'everyone':
        this.#generation = Math.max(this.#generation, event.level)
        return
      case 'user':
        join(this.#users, event.target, event)
        return
      case 'session':
        join(this.#sessions, event.target, { level: 1, liveUntil: event.liveUntil })
        return
      case 'token':
        join(this.#tokens, event.target, { level: 1, liveUntil: event.liveUntil })
    }
  }

  merge(other: RevocationState): void {
    for (const event of other.events()) this.apply(event)
  }

  /** The state as events: applying them all to an empty state gives this one again. */
  *events(): Generator<RevocationEvent> {
    yield { kind: 'everyone', level: this.#generation }
    for (const [target, denial] of this.#users) yield { kind: 'user', target, ...denial }
    for (const [target, { liveUntil }] of this.#sessions) {
      yield { kind: 'session', target, liveUntil }
    }
    for (const [target, { liveUntil }] of this.#tokens) yield { kind: 'token', target, liveUntil }
  }
}

function join(denials: Map<string, Denial>, target: string, { level, liveUntil }: Denial): void {
  const known = denials.get(target)
  denials.set(target, {
    level: Math.max(level, known?.level ?? 0),
    liveUntil: Math.max(liveUntil, known?.liveUntil ?? 0)
  })
}
