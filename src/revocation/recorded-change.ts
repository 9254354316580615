import { type SQL, sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import { type AuditEvent, auditRow } from '../audit/events.js'
import type { Queries } from '../database/connection.js'
import { auditEvents, revocations } from '../database/schema.js'
import type { NewRevocation, Revocation } from './store.js'

/**
 * A statement that makes a change, and returns `user_id`, the account that it is about or null, and
 * `level`, for a session or a token null; no row where there is nothing to change.
 */
export type Change = SQL

/**
 * Makes a change, and writes its revocation and what is audited of it, about the account that the
 * change names: one statement, so that all of it takes effect together, in one round trip.
 *
 * @returns undefined where there was nothing to change
 */
export async function recordChange(
  db: Queries,
  change: Change,
  entry: Omit<NewRevocation, 'level'>,
  events: readonly AuditEvent[]
): Promise<Revocation | undefined> {
  const revocation = { id: uuidv7(), publishedAt: null, confirmedAt: null, ...entry }
  const { id, kind, target, reason, actorId, createdAt, liveUntil } = revocation
  const audited = events.map(
    (event, index) =>
      sql`, ${sql.identifier(`audited_${index}`)} as (${insertedAudit(event, createdAt)})`
  )
  const [row] = await db.execute<{ xid: string; level: number | null }>(sql`
    with changed as (${change})${sql.join(audited)}
    insert into ${revocations}
      (id, kind, target, level, reason, actor_id, created_at, live_until)
    select ${id}::uuid, ${kind}::revocation_kind, ${target}::uuid, level, ${reason}::text,
      ${actorId}::uuid, ${createdAt.toISOString()}::timestamptz, ${liveUntil.toISOString()}::timestamptz
    from changed
    returning xid, level`)
  return row && { ...revocation, xid: row.xid, level: row.level }
}

function insertedAudit(event: AuditEvent, now: Date): SQL {
  const row = auditRow(event, now)
  return sql`
    insert into ${auditEvents} (id, occurred_at, action, outcome, actor_kind, actor, subject_kind,
      subject, user_id, ip, reason, details)
    select ${row.id}::uuid, ${now.toISOString()}::timestamptz, ${row.action}::text,
      ${row.outcome}::audit_outcome, ${row.actorKind}::text, ${row.actor}::text,
      ${row.subjectKind}::text, ${row.subject}::text, user_id, ${row.ip}::text, ${row.reason}::text,
      ${row.details == null ? null : JSON.stringify(row.details)}::text::jsonb
    from changed`
}
