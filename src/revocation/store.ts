import { and, desc, eq, exists, gt, inArray, isNotNull, isNull, lt, sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { audited, type AuditEvent, auditRow } from '../audit/events.js'
import type { Queries } from '../database/connection.js'
import { insertedRows } from '../database/inserted-rows.js'
import { isOneOf } from '../database/one-of.js'
import { auditEvents, deployment, revocations } from '../database/schema.js'
import type { RevocationKind } from './decision.js'
import type { Change } from './recorded-change.js'
import type { RevocationEvent } from './state.js'

/** A revocation as it is kept. `target` is null for everyone; `level` is null for token and session. */
export type Revocation = Omit<typeof revocations.$inferSelect, 'sequence'>

export interface NewRevocation {
  readonly kind: RevocationKind
  readonly target: string | null
  readonly level: number | null
  readonly reason: string
  readonly actorId: string | null
  readonly createdAt: Date
  readonly liveUntil: Date
}

/**
 * Writes the durable row, and in the same statement what is audited of it. Belongs into the
 * transaction that makes the change it stands for.
 */
export async function recordRevocation(
  db: Queries,
  entry: NewRevocation,
  event: AuditEvent | null
): Promise<Revocation> {
  const revocation = { id: uuidv7(), publishedAt: null, confirmedAt: null, ...entry }
  const [row] = await audited(db, event, entry.createdAt)
    .insert(revocations)
    .values(revocation)
    .returning({ xid: revocations.xid })
  if (row === undefined) throw new Error('A row that was written was not returned')
  return { ...revocation, xid: row.xid }
}

/** As `recordRevocation` for many, all of one transaction. */
export async function recordRevocations(
  tx: Queries,
  entries: readonly NewRevocation[],
  events: readonly AuditEvent[],
  now: Date
): Promise<Revocation[]> {
  if (events.length > 0) {
    await tx.execute(
      insertedRows(
        auditEvents,
        events.map((event) => auditRow(event, now))
      )
    )
  }
  const rows = entries.map((entry) => ({
    id: uuidv7(),
    publishedAt: null,
    confirmedAt: null,
    ...entry
  }))
  if (rows.length === 0) return []
  const [first] = await tx.execute<{ xid: string }>(
    sql`${insertedRows(revocations, rows)} returning xid`
  )
  if (first === undefined) throw new Error('A row that was written was not returned')
  return rows.map((row) => ({ ...row, xid: first.xid }))
}

/** The newest revocation of this target that can still cover a token; undefined where there is none. */
export async function findLiveRevocation(
  db: Queries,
  kind: RevocationKind,
  target: string,
  now: Date
): Promise<Revocation | undefined> {
  const [row] = await db
    .select()
    .from(revocations)
    .where(
      and(
        eq(revocations.kind, kind),
        eq(revocations.target, target),
        gt(revocations.liveUntil, now)
      )
    )
    .orderBy(desc(revocations.sequence))
    .limit(1)
  return row
}

export async function findRevocation(db: Queries, id: string): Promise<Revocation | undefined> {
  const [row] = await db.select().from(revocations).where(eq(revocations.id, id))
  return row
}

/**
 * Marks revocations as published in a data set, provided that it is still the one that counts.
 *
 * @returns how many were marked: none where another data set counts by now
 */
export async function markPublished(
  db: Queries,
  ids: readonly string[],
  { dataSet, now }: { dataSet: string; now: Date }
): Promise<number> {
  const isCurrent = db.select().from(deployment).where(eq(deployment.dataSet, dataSet))
  const rows = await db
    .update(revocations)
    .set({ publishedAt: now })
    .where(and(isOneOf(revocations.id, ids), isNull(revocations.publishedAt), exists(isCurrent)))
    .returning({ id: revocations.id })
  return rows.length
}

/** Whether the data set that counts is known to hold all of them. */
export async function arePublished(db: Queries, ids: readonly string[]): Promise<boolean> {
  const published = and(isOneOf(revocations.id, ids), isNotNull(revocations.publishedAt))
  return (await db.$count(revocations, published)) === ids.length
}

export async function markConfirmed(db: Queries, ids: readonly string[], now: Date): Promise<void> {
  await db
    .update(revocations)
    .set({ confirmedAt: now })
    .where(and(isOneOf(revocations.id, ids), isNull(revocations.confirmedAt)))
}

/**
 * Live revocations of which it is not known that they are true everywhere, oldest first. One that has
 * just been confirmed may still be among them.
 */
export async function listUnconfirmed(
  db: Queries,
  { now, after, limit }: { now: Date; after: number; limit: number }
) {
  return await db
    .select()
    .from(revocations)
    .where(
      and(
        isNull(revocations.confirmedAt),
        gt(revocations.liveUntil, now),
        gt(revocations.sequence, after)
      )
    )
    .orderBy(revocations.sequence)
    .limit(limit)
}

/**
 * Unpublished revocations that still matter, oldest first, locked until the transaction ends.
 * Rows that another transaction holds are left to it, or waited for.
 */
export async function lockUnpublished(
  tx: Queries,
  options: { now: Date; limit: number; skipLocked: boolean }
): Promise<Revocation[]> {
  return await tx
    .select()
    .from(revocations)
    .where(and(isNull(revocations.publishedAt), gt(revocations.liveUntil, options.now)))
    .orderBy(revocations.sequence)
    .limit(options.limit)
    .for('update', options.skipLocked ? { skipLocked: true } : undefined)
}

/** How many live revocations wait to be published. */
export async function countUnpublished(db: Queries, now: Date): Promise<number> {
  return await db.$count(
    revocations,
    and(isNull(revocations.publishedAt), gt(revocations.liveUntil, now))
  )
}

/** Raises the generation by one: every token and session there is belongs to an earlier one now. */
export const raisedGeneration: Change = sql`
  update ${deployment} set generation = generation + 1
  where id = 1 returning null::uuid as user_id, generation as level`

/** The same as a step of a transaction. @returns the new generation */
export async function raiseGeneration(tx: Queries): Promise<number> {
  const [row] = await tx.execute<{ level: number }>(raisedGeneration)
  if (row === undefined) throw new Error('The deployment row is missing: run the migrations')
  return row.level
}

/** Deletes rows that decided nothing for a long time. Bounded, so that it never holds many locks. */
export async function deleteRevocationsBefore(db: Queries, before: Date, limit: number) {
  const old = db
    .select({ id: revocations.id })
    .from(revocations)
    .where(lt(revocations.liveUntil, before))
    .limit(limit)
    .for('update', { skipLocked: true })
  await db.delete(revocations).where(inArray(revocations.id, old))
}

/** Deletes rows with this reason that decide nothing any more: those that nobody wants to look up. */
export async function deleteRevocationsFor(db: Queries, reason: string, now: Date): Promise<void> {
  await db
    .delete(revocations)
    .where(and(lt(revocations.liveUntil, now), eq(revocations.reason, reason)))
}

/** A revocation as it spreads. */
export function eventOf(revocation: Revocation): RevocationEvent {
  const { id, kind, target, level } = revocation
  const liveUntil = revocation.liveUntil.getTime()
  if (kind === 'everyone' && level !== null) return { kind, level }
  if (kind === 'user' && target !== null && level !== null)
    return { kind, target, level, liveUntil }
  if ((kind === 'token' || kind === 'session') && target !== null)
    return { kind, target, liveUntil }
  throw new Error(`Revocation ${id} of kind ${kind} lacks its target or level`)
}
