import {
  type DenialShard,
  emptyShard,
  expiryColumn,
  findRow,
  grown,
  idColumn,
  levelColumn,
  rowLength,
  withoutExpired
} from './denial-shard.js'
import { hashUuid } from './uuid-hash.js'
import { isUuid, readUuid, wordsPerUuid, writeUuid } from './uuid-words.js'

/** What is kept of a denied id: its level from 1 on, or 0 where it denies nothing. */
export interface Denial {
  readonly id: string
  readonly level: number
  /** When it may be forgotten, in seconds since the epoch, from 1 on. Both are below 2^32. */
  readonly expirySeconds: number
}

/** So many that a million entries grow, or are swept, a few thousand at a time. */
export const shardCount = 256
/** Leaves of the 32 bits of a hash those that choose among the shards; the low ones choose the row. */
const shardShift = 24

/** The id that is being looked for: nothing here waits, so one is enough. */
const wanted = new Uint32Array(wordsPerUuid)

/**
 * Denied ids with their levels, 24 bytes each in tables that are 44 to 67 % full, outside of the heap that the
 * garbage collector walks. Levels and expiries only rise, until an entry is swept.
 */
export class DenialTable {
  readonly #shards = Array.from({ length: shardCount }, () => emptyShard)
  #size = 0

  /** How many ids it knows, with those that have expired and are not swept yet. */
  get size(): number {
    return this.#size
  }

  /** The level of this id; 0 where it is not known. */
  levelOf(id: string): number {
    if (!readUuid(id, wanted)) return 0
    const hash = hashUuid(wanted, 0)
    const shard = this.#shards[hash >>> shardShift] ?? emptyShard
    const level = shard.rows[findRow(shard, hash, wanted, 0) + levelColumn] ?? 0
    return level > 0 && isUuid(id) ? level : 0
  }

  /** @throws TypeError where the id is no UUID in canonical lower-case form */
  raise({ id, level, expirySeconds }: Denial): void {
    if (!isUuid(id) || !readUuid(id, wanted)) throw new TypeError('Only UUIDs can be denied')
    this.#raise(wanted, 0, level, expirySeconds)
  }

  raiseAll(other: DenialTable): void {
    for (const { rows } of other.#shards) {
      for (let row = 0; row < rows.length; row += rowLength) {
        const expiry = rows[row + expiryColumn] ?? 0
        if (expiry > 0) this.#raise(rows, row + idColumn, rows[row + levelColumn] ?? 0, expiry)
      }
    }
  }

  #raise(ids: Uint32Array, at: number, level: number, expirySeconds: number): void {
    const hash = hashUuid(ids, at)
    let shard = this.#shards[hash >>> shardShift] ?? emptyShard
    let row = findRow(shard, hash, ids, at)
    if (shard.rows[row + expiryColumn] === 0) {
      if (shard.used === shard.limit) {
        shard = grown(shard)
        this.#shards[hash >>> shardShift] = shard
        row = findRow(shard, hash, ids, at)
      }
      for (let index = 0; index < wordsPerUuid; index++) {
        shard.rows[row + idColumn + index] = ids[at + index] ?? 0
      }
      shard.used++
      this.#size++
    }
    const { rows } = shard
    rows[row + levelColumn] = Math.max(level, rows[row + levelColumn] ?? 0)
    rows[row + expiryColumn] = Math.max(expirySeconds, rows[row + expiryColumn] ?? 0)
  }

  /**
   * Forgets what has expired in one shard.
   * @returns how many rows it has looked at
   */
  sweep(shardIndex: number, nowSeconds: number): number {
    const shard = this.#shards[shardIndex] ?? emptyShard
    const kept = withoutExpired(shard, nowSeconds)
    this.#shards[shardIndex] = kept
    this.#size -= shard.used - kept.used
    return shard.capacity
  }

  /** Each entry once, however the table changes meanwhile; which of those changes it shows is left open. */
  *entries(): Generator<Denial> {
    for (let index = 0; index < shardCount; index++) {
      yield* entriesOf(this.#shards[index] ?? emptyShard)
    }
  }
}

/** Rows never move, so that a reader may take its time: it is a copy that takes over. */
function* entriesOf({ rows }: DenialShard): Generator<Denial> {
  for (let row = 0; row < rows.length; row += rowLength) {
    const expirySeconds = rows[row + expiryColumn] ?? 0
    if (expirySeconds === 0) continue
    yield {
      id: writeUuid(rows, row + idColumn),
      level: rows[row + levelColumn] ?? 0,
      expirySeconds
    }
  }
}
