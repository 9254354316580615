import { and, desc, eq, isNull, lt, or, type SQL, sql } from 'drizzle-orm'
import { type Actor, actorName } from '../audit/origin.js'
import type { Queries } from '../database/connection.js'
import { deployment, incidents } from '../database/schema.js'
import type { Receipt } from '../revocation/announcer.js'
import type { IncidentTarget } from './target.js'

/** One pull of the incident switch. */
export interface Incident {
  readonly id: string
  readonly target: IncidentTarget
  readonly reason: string
  readonly actor: Actor
  /** Sessions opened later are not hit. */
  readonly startedAt: Date
  readonly status: 'running' | 'stopped' | 'finished'
  /** As counted at the start, where there was time for all; of a cohort more may be hit. */
  readonly sessionsExpected: number
  readonly sessionsRevoked: number
  readonly batches: number
  readonly finishedAt: Date | null
  /** Once it is finished, how that is known; null where nothing was left to hit. */
  readonly receipt: Receipt | null
}

type Row = typeof incidents.$inferSelect

/** An incident with where the work on it stands. */
export interface ClaimedIncident extends Incident {
  /** The transaction that started it; null for one of an earlier version. */
  readonly startedXid: string | null
  /** The last session that was hit. */
  readonly position: string | null
  /** How it is known that the batches so far are true everywhere, of those that were confirmed. */
  readonly receiptSoFar: Receipt | null
}

/** The claim of a worker: a write that carries it fails when another took over. */
export interface Claim {
  readonly id: string
  readonly workerId: string
}

export async function insertIncident(
  tx: Queries,
  incident: Pick<
    Incident,
    'id' | 'target' | 'reason' | 'actor' | 'startedAt' | 'sessionsExpected' | 'sessionsRevoked'
  >
): Promise<Incident> {
  const { actor, ...values } = incident
  const [row] = await tx
    .insert(incidents)
    .values({
      ...values,
      actorKind: actor.kind,
      actor: actorName(actor),
      status: 'running',
      // Whoever starts it gets to it first.
      heartbeatAt: sql`now()`
    })
    .returning()
  if (row === undefined) throw new Error('A row that was written was not returned')
  return incidentOf(row)
}

export async function findIncident(db: Queries, id: string): Promise<Incident | undefined> {
  const [row] = await db.select().from(incidents).where(eq(incidents.id, id))
  return row && incidentOf(row)
}

/** The newest first. */
export async function listIncidents(db: Queries, limit: number): Promise<Incident[]> {
  const rows = await db.select().from(incidents).orderBy(desc(incidents.id)).limit(limit)
  return rows.map(incidentOf)
}

/**
 * Takes a running incident that nobody works on, or whose worker has not been heard of for `staleMs`.
 * The same claim may be made again: the answer to the first one may have been lost.
 * @returns undefined where there is nothing to take
 */
export async function claimIncident(
  db: Queries,
  { id, workerId }: Claim,
  staleMs: number
): Promise<ClaimedIncident | undefined> {
  const [row] = await db
    .update(incidents)
    .set({ workerId, heartbeatAt: sql`now()` })
    .where(
      and(
        eq(incidents.id, id),
        eq(incidents.status, 'running'),
        or(isNull(incidents.workerId), eq(incidents.workerId, workerId), isStale(staleMs))
      )
    )
    .returning()
  if (row === undefined) return undefined
  const { position, receipt, startedXid } = row
  return { ...incidentOf(row), position, startedXid, receiptSoFar: receipt as Receipt | null }
}

/**
 * Whether every transaction that began to write before this one has ended, and so can be seen. One
 * of the future was restored from another cluster's dump: nothing of its time is running here.
 */
export async function haveEarlierEnded(db: Queries, xid: string): Promise<boolean> {
  const [row] = await db.execute<{ ended: boolean }>(
    sql`select pg_snapshot_xmin(now.snapshot) >= ${xid}::xid8
          or pg_snapshot_xmax(now.snapshot) <= ${xid}::xid8 as ended
        from (select pg_current_snapshot() as snapshot) as now`
  )
  return row?.ended === true
}

/** Running incidents that nobody works on any more, oldest first. */
export async function listOrphans(db: Queries, staleMs: number): Promise<string[]> {
  const rows = await db
    .select({ id: incidents.id })
    .from(incidents)
    .where(and(eq(incidents.status, 'running'), isStale(staleMs)))
    .orderBy(incidents.id)
  return rows.map(({ id }) => id)
}

const isStale = (staleMs: number): SQL =>
  sql`(${incidents.heartbeatAt} is null
    or ${incidents.heartbeatAt} < now() - make_interval(secs => ${staleMs / 1_000}))`

/** A worker's sign of life. @returns false where the incident is not its own any more */
export async function beat(db: Queries, claim: Claim): Promise<boolean> {
  return await updateClaimed(db, claim, { heartbeatAt: sql`now()` })
}

/** Locks an incident until the transaction ends. @returns false where it is not the worker's any more */
export async function lockClaimed(tx: Queries, claim: Claim): Promise<boolean> {
  const rows = await tx
    .select({ id: incidents.id })
    .from(incidents)
    .where(isOwn(claim))
    .for('update')
  return rows.length > 0
}

/** Notes a batch. Belongs into its transaction, after `lockClaimed`. */
export async function noteBatch(
  tx: Queries,
  claim: Claim,
  { position, count }: { position: string; count: number }
): Promise<void> {
  await updateClaimed(tx, claim, {
    position,
    sessionsRevoked: sql`${incidents.sessionsRevoked} + ${count}`,
    batches: sql`${incidents.batches} + 1`,
    heartbeatAt: sql`now()`
  })
}

/** Notes how it is known that the batches so far are true everywhere. */
export async function noteReceipt(db: Queries, claim: Claim, receipt: Receipt): Promise<void> {
  await updateClaimed(db, claim, { receipt, heartbeatAt: sql`now()` })
}

/** Leaves the work to whoever comes next, at once. */
export async function releaseClaim(db: Queries, claim: Claim): Promise<void> {
  await updateClaimed(db, claim, { workerId: null, heartbeatAt: null })
}

/** @returns the incident; undefined where it was not the worker's any more */
export async function finishIncident(
  tx: Queries,
  claim: Claim,
  now: Date
): Promise<Incident | undefined> {
  const [row] = await tx
    .update(incidents)
    .set({ status: 'finished', finishedAt: now, workerId: null })
    .where(isOwn(claim))
    .returning()
  return row && incidentOf(row)
}

/** Stops what runs, or lets go on what was stopped. @returns undefined where it is neither */
export async function turnIncident(
  tx: Queries,
  id: string,
  to: 'stopped' | 'running'
): Promise<Incident | undefined> {
  const from = to === 'stopped' ? 'running' : 'stopped'
  // Who works on a stopped one is turned away, and whoever resumes it gets to it first.
  const heartbeatAt = to === 'stopped' ? null : sql`now()`
  const [row] = await tx
    .update(incidents)
    .set({ status: to, workerId: null, heartbeatAt })
    .where(and(eq(incidents.id, id), eq(incidents.status, from)))
    .returning()
  return row && incidentOf(row)
}

/** Asks those who log in to come in turn until then; an earlier end never shortens it. */
export async function spreadLogins(tx: Queries, until: Date): Promise<void> {
  await tx
    .update(deployment)
    .set({ loginsSpreadUntil: until })
    .where(
      and(
        eq(deployment.id, 1),
        or(isNull(deployment.loginsSpreadUntil), lt(deployment.loginsSpreadUntil, until))
      )
    )
}

async function updateClaimed(
  db: Queries,
  claim: Claim,
  values: Parameters<ReturnType<Queries['update']>['set']>[0]
): Promise<boolean> {
  const rows = await db
    .update(incidents)
    .set(values)
    .where(isOwn(claim))
    .returning({ id: incidents.id })
  return rows.length > 0
}

function isOwn({ id, workerId }: Claim): SQL | undefined {
  return and(
    eq(incidents.id, id),
    eq(incidents.workerId, workerId),
    eq(incidents.status, 'running')
  )
}

function incidentOf(row: Row): Incident {
  const { id, reason, startedAt, status, sessionsExpected, sessionsRevoked, batches } = row
  return {
    id,
    // Written by this module alone.
    target: row.target as IncidentTarget,
    reason,
    actor: actorOf(row),
    startedAt,
    status,
    sessionsExpected,
    sessionsRevoked,
    batches,
    finishedAt: row.finishedAt,
    receipt: status === 'finished' ? (row.receipt as Receipt | null) : null
  }
}

function actorOf({ actorKind, actor }: Row): Actor {
  if (actor === null) return { kind: actorKind === 'service' ? 'service' : 'nobody' }
  if (actorKind === 'operator') return { kind: 'operator', name: actor }
  return { kind: actorKind === 'client' ? 'client' : 'user', id: actor }
}
