import { and, asc, eq, gt, lte } from 'drizzle-orm'
import { recordAudit } from '../audit/events.js'
import type { Origin } from '../audit/origin.js'
import type { Clock } from '../clock.js'
import type { Database, Queries } from '../database/connection.js'
import { isOneOf } from '../database/one-of.js'
import { deployment, sessions, users } from '../database/schema.js'
import type { RevocationService } from '../revocation/revocation.js'
import type { Revocation } from '../revocation/store.js'
import { isHit, type Moment } from './cohort.js'
import { type Claim, type Incident, lockClaimed, noteBatch } from './store.js'
import type { IncidentTarget } from './target.js'

/** So many sessions are looked at in one statement, hit or not. */
const lookedAtOnce = 10_000

/** Sessions that would be hit, in the order of their ids. */
export interface Catch {
  readonly ids: readonly string[]
  /** The last session that was looked at; undefined where that was the last there is. */
  readonly upTo: string | undefined
}

/** Looks on behind `after`, at a bounded number of sessions. Locks nothing. */
export async function look(
  db: Queries,
  target: IncidentTarget,
  moment: Moment,
  { after, limit }: { readonly after: string | undefined; readonly limit: number }
): Promise<Catch> {
  const isBehind = after === undefined ? undefined : gt(sessions.id, after)
  const [end] = await db
    .select({ id: sessions.id })
    .from(sessions)
    .where(isBehind)
    .orderBy(sessions.id)
    .offset(lookedAtOnce - 1)
    .limit(1)
  const isBefore = end && lte(sessions.id, end.id)
  const rows = await db
    .select({ id: sessions.id })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .innerJoin(deployment, eq(deployment.id, 1))
    .where(and(isBehind, isBefore, isHit(target, moment)))
    .orderBy(asc(sessions.id))
    .limit(limit)
  const ids = rows.map(({ id }) => id)
  return { ids, upTo: ids.length === limit ? ids.at(-1) : end?.id }
}

export interface BatchParts {
  readonly database: Database
  readonly revocation: Pick<RevocationService, 'recordAll'>
  readonly clock: Clock
}

/**
 * Revokes those of the sessions that are still to be hit now that their rows are locked, in one
 * transaction with the records, the audit and the progress. Whatever another transaction holds is left
 * alone: waiting for it while holding others could end in a deadlock. Look again for those.
 *
 * @returns undefined where the incident is not the worker's any more
 */
export async function revokeBatch(
  { database, revocation, clock }: BatchParts,
  incident: Incident,
  {
    claim,
    ids,
    moment
  }: { readonly claim: Claim; readonly ids: readonly string[]; readonly moment: Moment }
): Promise<Revocation[] | undefined> {
  const { reason, target } = incident
  const origin: Origin = { actor: incident.actor, ip: null }
  return await database.transaction(async (tx) => {
    if (!(await lockClaimed(tx, claim))) return undefined
    const hit = await lockHit(tx, target, { ids, moment })
    const position = hit.at(-1)?.id
    if (position === undefined) return []
    const now = new Date(clock())
    const hitIds = hit.map(({ id }) => id)
    await tx.update(sessions).set({ revokedAt: now }).where(isOneOf(sessions.id, hitIds))
    const orders = hit.map(
      ({ id, userId }) => ({ kind: 'session', target: id, level: null, userId }) as const
    )
    const recorded = await revocation.recordAll(tx, orders, { reason, origin })
    await recordAudit(
      tx,
      {
        action: 'incident.batch_revoked',
        outcome: 'success',
        origin,
        subject: { kind: 'incident', id: incident.id },
        userId: null,
        reason,
        details: { sessions: hit.length }
      },
      now
    )
    await noteBatch(tx, claim, { position, count: hit.length })
    return recorded
  })
}

async function lockHit(
  tx: Queries,
  target: IncidentTarget,
  { ids, moment }: { readonly ids: readonly string[]; readonly moment: Moment }
) {
  return await tx
    .select({ id: sessions.id, userId: sessions.userId })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .innerJoin(deployment, eq(deployment.id, 1))
    .where(and(isOneOf(sessions.id, ids), isHit(target, moment)))
    .orderBy(asc(sessions.id))
    .for('update', { of: sessions, skipLocked: true })
}
