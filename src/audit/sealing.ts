import { asc, desc, isNull, sql, type SQL } from 'drizzle-orm'
import type { Clock } from '../clock.js'
import type { Database, Queries } from '../database/connection.js'
import { isOneOf } from '../database/one-of.js'
import { auditBatches, auditEvents } from '../database/schema.js'
import type { Log } from '../revocation/log.js'
import {
  createEventsDigest,
  hashOfBatch,
  noHash,
  type SealedEvent,
  sealedFields
} from './digest.js'
import { takeChain } from './chain-lock.js'

/** What one transaction can seal within a fraction of its deadline. */
const eventsPerBatch = 500

export interface SealingOptions {
  readonly database: Database
  readonly clock: Clock
  readonly log: Log
}

/** A batch that was sealed just now. */
export interface SealedBatch {
  readonly number: number
  readonly events: number
  readonly hash: Buffer
}

/**
 * Seals all events that are visible and in no batch yet, in batches. Any number of nodes may do it:
 * one at a time works on the chain, and the others leave it to that one. Nobody who writes an event
 * waits, and one whose transaction commits late comes into a later batch. The line that is logged of
 * each batch is an anchor outside the database: who rewrites the whole chain can't rewrite that.
 *
 * @throws DatabaseUnavailable
 */
export async function sealAudit({ database, clock, log }: SealingOptions): Promise<void> {
  for (;;) {
    const batch = await database.transaction((tx) => sealBatch(tx, new Date(clock())))
    if (batch === undefined) return
    const { number, events, hash } = batch
    log.info({ event: 'audit.sealed', number, events, hash: hash.toString('hex') }, 'Sealed')
    if (events < eventsPerBatch) return
  }
}

/** @returns undefined where there is nothing to seal, or another node is at it */
async function sealBatch(tx: Queries, now: Date): Promise<SealedBatch | undefined> {
  if (!(await takeChain(tx))) return undefined
  const events = await tx
    .select(sealedFields)
    .from(auditEvents)
    .where(isNull(auditEvents.batch))
    .orderBy(asc(auditEvents.id))
    .limit(eventsPerBatch)
  if (events.length === 0) return undefined
  const batch = await appendBatch(tx, events, now)
  const ids = events.map(({ id }) => id)
  await tx.update(auditEvents).set({ batch: batch.number }).where(isOneOf(auditEvents.id, ids))
  return batch
}

async function appendBatch(
  tx: Queries,
  events: readonly SealedEvent[],
  now: Date
): Promise<SealedBatch> {
  const [head] = await tx
    .select({ number: auditBatches.number, hash: auditBatches.hash })
    .from(auditBatches)
    .orderBy(desc(auditBatches.number))
    .limit(1)
  const times = events.map(({ occurredAtUs }) => BigInt(occurredAtUs)).sort(ascending)
  const seal = {
    number: (head?.number ?? 0) + 1,
    sealedAtUs: String(BigInt(now.getTime()) * 1000n),
    events: events.length,
    firstEventAtUs: String(times[0]),
    lastEventAtUs: String(times.at(-1)),
    eventsHash: digestOf(events),
    previousHash: head?.hash ?? noHash
  }
  const hash = hashOfBatch(seal)
  await tx.insert(auditBatches).values({
    ...seal,
    sealedAt: now,
    firstEventAt: instantAt(seal.firstEventAtUs),
    lastEventAt: instantAt(seal.lastEventAtUs),
    hash
  })
  return { number: seal.number, events: events.length, hash }
}

function digestOf(events: readonly SealedEvent[]): Buffer {
  const digest = createEventsDigest()
  for (const event of events) digest.add(event)
  return digest.end()
}

/** A date of JavaScript would lose the microseconds. */
function instantAt(us: string): SQL {
  return sql`timestamptz 'epoch' + ${us}::float8 * interval '1 microsecond'`
}

function ascending(left: bigint, right: bigint): number {
  return left < right ? -1 : Number(left > right)
}
