import type { RevocationView } from './decision.js'
import { DenialTable, shardCount } from './denial-table.js'

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

/** 2106 in seconds, and more revocations of one user than there will be. */
const maxUint32 = 0xffff_ffff

/** Some hundred microseconds of work. */
const rowsPerSweep = 16_384

/**
 * The live revocations as a join-semilattice: ids are only added until they expire, levels only
 * rise. Applying an event twice, late or in another order gives the same state, so replays,
 * rebuilds and merges are always safe.
 *
 * A million of them take some 50 MB, and no event takes longer than some milliseconds, because
 * never more than a small part of the tables is moved at once.
 */
export class RevocationState implements RevocationView {
  #generation: number
  readonly #tokens = new DenialTable()
  readonly #sessions = new DenialTable()
  readonly #users = new DenialTable()
  readonly #tables = [this.#tokens, this.#sessions, this.#users]
  /** The shard that is swept next, counted through all tables. */
  #nextSweep = 0
  #revision = 0

  constructor(generation = 0) {
    this.#generation = generation
  }

  get generation(): number {
    return this.#generation
  }

  /** Another number after every revocation that came in: as long as it is the same, who was live is. */
  get revision(): number {
    return this.#revision
  }

  /** How many revocations of tokens, sessions and users it holds. */
  get size(): number {
    return this.#tokens.size + this.#sessions.size + this.#users.size
  }

  isTokenDenied(tokenId: string): boolean {
    return this.#tokens.levelOf(tokenId) > 0
  }

  isSessionDenied(sessionId: string): boolean {
    return this.#sessions.levelOf(sessionId) > 0
  }

  minimumVersion(userId: string): number {
    return this.#users.levelOf(userId)
  }

  /**
   * @throws TypeError where the event cannot be kept, because its target is no UUID in canonical lower-case form,
   * or its level or time no number that makes sense: to pass over it could let a dead token live
   */
  apply(event: RevocationEvent): void {
    this.#revision++
    switch (event.kind) {
      case 'everyone':
        this.#generation = Math.max(this.#generation, levelOf(event))
        return
      case 'user':
        this.#users.raise({
          id: event.target,
          level: levelOf(event),
          expirySeconds: expiryOf(event)
        })
        return
      case 'session':
        this.#sessions.raise({ id: event.target, level: 1, expirySeconds: expiryOf(event) })
        return
      case 'token':
        this.#tokens.raise({ id: event.target, level: 1, expirySeconds: expiryOf(event) })
    }
  }

  merge(other: RevocationState): void {
    this.#revision++
    this.#generation = Math.max(this.#generation, other.#generation)
    this.#tokens.raiseAll(other.#tokens)
    this.#sessions.raiseAll(other.#sessions)
    this.#users.raiseAll(other.#users)
  }

  /**
   * Forgets revocations whose `liveUntil` has passed, in a small part of the tables: a short step, to be called
   * again and again. Until its turn comes, one that has expired still denies tokens that have expired as well.
   */
  forgetExpired(nowMs: number): void {
    const nowSeconds = Math.floor(nowMs / 1000)
    const shards = this.#tables.length * shardCount
    let rows = 0
    for (let count = 0; count < shards && rows < rowsPerSweep; count++) {
      const table = this.#tables[Math.floor(this.#nextSweep / shardCount)]
      rows += table?.sweep(this.#nextSweep % shardCount, nowSeconds) ?? 0
      this.#nextSweep = (this.#nextSweep + 1) % shards
    }
  }

  /**
   * The state as events: applying them all to an empty state gives this one again. Times come back
   * rounded up to seconds.
   */
  *events(): Generator<RevocationEvent> {
    yield { kind: 'everyone', level: this.#generation }
    for (const { id, level, expirySeconds } of this.#users.entries()) {
      yield { kind: 'user', target: id, level, liveUntil: expirySeconds * 1000 }
    }
    for (const { id, expirySeconds } of this.#sessions.entries()) {
      yield { kind: 'session', target: id, liveUntil: expirySeconds * 1000 }
    }
    for (const { id, expirySeconds } of this.#tokens.entries()) {
      yield { kind: 'token', target: id, liveUntil: expirySeconds * 1000 }
    }
  }
}

function levelOf({ level }: { readonly level: number }): number {
  if (!Number.isInteger(level) || level < 0 || level > maxUint32) {
    throw new TypeError('The level of a revocation is a whole number below 2^32')
  }
  return level
}

/** Rounded up, so that nothing is forgotten early. */
function expiryOf({ liveUntil }: { readonly liveUntil: number }): number {
  if (Number.isNaN(liveUntil)) throw new TypeError('The end of a revocation is a time')
  return Math.min(Math.max(Math.ceil(liveUntil / 1000), 1), maxUint32)
}
