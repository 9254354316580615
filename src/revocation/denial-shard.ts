import { hashUuid } from './uuid-hash.js'
import { wordsPerUuid } from './uuid-words.js'

/**
 * A row: when the denial may be forgotten in seconds since the epoch, 0 in a row that is free; its level; the
 * words of the id.
 */
export const rowLength = 2 + wordsPerUuid
export const expiryColumn = 0
export const levelColumn = 1
export const idColumn = 2

/** Beyond this share of used rows the searches grow long. */
const maxLoad = 2 / 3
/** What has become emptier than this gives memory back. */
const minLoad = 0.2
/** A new shard is this much larger than it must be. */
const growth = 1.5
const minCapacity = 8

/**
 * An open-addressing hash table with linear probing, in one typed array that the garbage collector need not look
 * into. Rows are never taken out of it, which would tear the chains of probes: a shard that must grow, shrink or
 * forget is replaced by a new one.
 */
export interface DenialShard {
  readonly rows: Uint32Array
  /** The number of rows. */
  readonly capacity: number
  /** How many of them may be used, never all: each search ends at a free row. */
  readonly limit: number
  /** How many are. */
  used: number
}

/** Nothing fits in, so that it can stand for every shard that nothing was put into yet. */
export const emptyShard = newShard(1)

function newShard(capacity: number): DenialShard {
  return {
    rows: new Uint32Array(capacity * rowLength),
    capacity,
    limit: Math.floor(capacity * maxLoad),
    used: 0
  }
}

/** With room for so many and some more. */
function newShardFor(count: number): DenialShard {
  return newShard(Math.max(minCapacity, Math.ceil((count * growth) / maxLoad)))
}

/** Where the row of this id begins in `rows`, or else the free row where it belongs. */
export function findRow(
  { rows, capacity }: DenialShard,
  hash: number,
  ids: Uint32Array,
  at: number
): number {
  // The lower 24 bits as a fraction of the capacity; the upper ones have chosen the shard.
  let row = Math.floor((hash & 0xff_ffff) * 2 ** -24 * capacity) * rowLength
  for (;;) {
    if (rows[row + expiryColumn] === 0) return row
    const id = row + idColumn
    // The last word first: it differs between ids of one time.
    if (
      rows[id + 3] === ids[at + 3] &&
      rows[id + 2] === ids[at + 2] &&
      rows[id + 1] === ids[at + 1] &&
      rows[id] === ids[at]
    ) {
      return row
    }
    row += rowLength
    if (row === rows.length) row = 0
  }
}

/** The same with room for more. */
export function grown(shard: DenialShard): DenialShard {
  return copied(shard, newShardFor(shard.used), 0)
}

/** The shard without what has expired by then: itself where nothing has. */
export function withoutExpired(shard: DenialShard, nowSeconds: number): DenialShard {
  const { rows, capacity, used } = shard
  let expired = 0
  for (let row = 0; row < rows.length; row += rowLength) {
    if (isExpired(rows, row, nowSeconds)) expired++
  }
  if (expired === 0) return shard
  if (expired === used) return emptyShard
  const left = used - expired
  const target = left < capacity * minLoad ? newShardFor(left) : newShard(capacity)
  return copied(shard, target, nowSeconds)
}

/** The target, filled with what has not expired by then. */
function copied({ rows }: DenialShard, target: DenialShard, nowSeconds: number): DenialShard {
  for (let row = 0; row < rows.length; row += rowLength) {
    if (rows[row + expiryColumn] === 0 || isExpired(rows, row, nowSeconds)) continue
    const id = row + idColumn
    const free = findRow(target, hashUuid(rows, id), rows, id)
    for (let column = 0; column < rowLength; column++) {
      target.rows[free + column] = rows[row + column] ?? 0
    }
    target.used++
  }
  return target
}

/** Written so that a time that is no number makes nothing expire. */
function isExpired(rows: Uint32Array, row: number, nowSeconds: number): boolean {
  const expiry = rows[row + expiryColumn] ?? 0
  return expiry !== 0 && expiry <= nowSeconds
}
