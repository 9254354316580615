import { createHash, type Hash } from 'node:crypto'
import { type SQL, sql } from 'drizzle-orm'
import type { PgColumn } from 'drizzle-orm/pg-core'
import { auditBatches, auditEvents } from '../database/schema.js'

const eventsPurpose = 'keycard audit events v1\n'
const batchPurpose = 'keycard audit batch v1\n'

/** What the hash before the first batch's is. */
export const noHash = Buffer.alloc(32)

/**
 * Microseconds since the epoch, which is what Postgres keeps, as a decimal number. `infinity`, which
 * no node writes, stays a word.
 */
export const microseconds = (column: PgColumn): SQL<string> =>
  sql<string>`case when isfinite(${column})
    then (extract(epoch from ${column}) * 1000000)::bigint::text else ${column}::text end`

/**
 * The fields of an event that are sealed, in the order in which they are hashed, as Postgres writes
 * them: a UUID in lower case, a time in microseconds since the epoch, `details` as the text of a
 * jsonb, whose keys have one order (by length, then by byte) and whose numbers keep every digit.
 */
export const sealedFields = {
  id: sql<string>`${auditEvents.id}::text`,
  occurredAtUs: microseconds(auditEvents.occurredAt),
  action: sql<string>`${auditEvents.action}`,
  outcome: sql<string>`${auditEvents.outcome}::text`,
  actorKind: sql<string>`${auditEvents.actorKind}`,
  actor: sql<string | null>`${auditEvents.actor}`,
  subjectKind: sql<string | null>`${auditEvents.subjectKind}`,
  subject: sql<string | null>`${auditEvents.subject}`,
  userId: sql<string | null>`${auditEvents.userId}::text`,
  ip: sql<string | null>`${auditEvents.ip}`,
  reason: sql<string | null>`${auditEvents.reason}`,
  details: sql<string | null>`${auditEvents.details}::text`
}

export interface SealedEvent {
  readonly id: string
  readonly occurredAtUs: string
  readonly action: string
  readonly outcome: string
  readonly actorKind: string
  readonly actor: string | null
  readonly subjectKind: string | null
  readonly subject: string | null
  readonly userId: string | null
  readonly ip: string | null
  readonly reason: string | null
  readonly details: string | null
}

/** A batch as it is hashed. Times in microseconds since the epoch. */
export interface BatchSeal {
  readonly number: number
  readonly sealedAtUs: string
  readonly events: number
  readonly firstEventAtUs: string
  readonly lastEventAtUs: string
  readonly eventsHash: Buffer
  readonly previousHash: Buffer
}

export const batchFields = {
  number: auditBatches.number,
  sealedAtUs: microseconds(auditBatches.sealedAt),
  events: auditBatches.events,
  firstEventAtUs: microseconds(auditBatches.firstEventAt),
  lastEventAtUs: microseconds(auditBatches.lastEventAt),
  eventsHash: auditBatches.eventsHash,
  previousHash: auditBatches.previousHash
}

/**
 * The hash of a batch's events, fed in the order of their ids: SHA-256 of `keycard audit events v1`,
 * a newline, and of each event its twelve sealed fields. A field is its length in bytes of UTF-8 in
 * decimal, a colon and its text, such as `5:admin`, and where it is null a single `-`. So no two
 * different lists of events are the same bytes.
 */
export function createEventsDigest(): {
  readonly add: (event: SealedEvent) => void
  readonly end: () => Buffer
} {
  const hash = createHash('sha256').update(eventsPurpose)
  return {
    add(event) {
      const { id, occurredAtUs, action, outcome, actorKind, actor } = event
      const { subjectKind, subject, userId, ip, reason, details } = event
      addFields(hash, [id, occurredAtUs, action, outcome, actorKind, actor])
      addFields(hash, [subjectKind, subject, userId, ip, reason, details])
    },
    end: () => hash.digest()
  }
}

/**
 * The hash of a batch: SHA-256 of `keycard audit batch v1`, a newline, and these fields, each written
 * as those of an event: number, sealed at, events, first and last event at, the hash of the events
 * and the hash of the batch before, both in hex. The batch before the first has 32 zero bytes.
 */
export function hashOfBatch(seal: BatchSeal): Buffer {
  const hash = createHash('sha256').update(batchPurpose)
  addFields(hash, [
    String(seal.number),
    seal.sealedAtUs,
    String(seal.events),
    seal.firstEventAtUs,
    seal.lastEventAtUs,
    seal.eventsHash.toString('hex'),
    seal.previousHash.toString('hex')
  ])
  return hash.digest()
}

function addFields(hash: Hash, fields: readonly (string | null)[]): void {
  for (const field of fields) {
    hash.update(field === null ? '-' : `${Buffer.byteLength(field)}:${field}`)
  }
}
