import { getTableColumns, type SQL, sql } from 'drizzle-orm'
import type { Queries } from '../database/connection.js'
import { insertedFrom, rowsAsJson } from '../database/inserted-rows.js'
import { auditEvents } from '../database/schema.js'
import { newEventId } from './event-id.js'
import { actorName, type Origin } from './origin.js'

/** Everything that is audited. The part before the dot is the kind of what it happened to. */
export const auditActions = [
  'account.registered',
  'account.created',
  'account.renamed',
  'account.roles_changed',
  'account.disabled',
  'account.enabled',
  'account.password_changed',
  'account.deleted',
  'session.opened',
  'session.refresh_reused',
  'token.revoked',
  'session.revoked',
  'user.revoked',
  'everyone.revoked',
  'client.registered',
  'client.revoked',
  'incident.started',
  'incident.batch_revoked',
  'incident.stopped',
  'incident.resumed',
  'incident.finished',
  'key.rotated',
  'key.retired',
  'token.minted',
  'admin.refused',
  'audit.pruned'
] as const

export type AuditAction = (typeof auditActions)[number]
export type AuditOutcome = (typeof auditEvents.$inferSelect)['outcome']

/** Something that happened. Neither `reason` nor `details` may hold a secret or an e-mail address. */
export interface AuditEvent {
  readonly action: AuditAction
  readonly outcome: AuditOutcome
  readonly origin: Origin
  /** What it happened to; null for everyone, or where that is not known. */
  readonly subject: { readonly kind: string; readonly id: string } | null
  /** The account that it is about, whatever the subject is. */
  readonly userId: string | null
  readonly reason: string | null
  readonly details?: Readonly<Record<string, unknown>>
}

/** The row of an event. */
export function auditRow(event: AuditEvent, now: Date): typeof auditEvents.$inferInsert {
  const { action, outcome, origin, subject, userId, reason, details = null } = event
  return {
    id: newEventId(now),
    occurredAt: now,
    action,
    outcome,
    actorKind: origin.actor.kind,
    actor: actorName(origin.actor),
    subjectKind: subject?.kind ?? null,
    subject: subject?.id ?? null,
    userId,
    ip: origin.ip,
    reason,
    details
  }
}

/**
 * Lets an insert write an event in the same statement, at no round trip of its own: null writes none.
 * The event comes whether or not the insert finds something to do, so it must be one that always does.
 */
export function audited(db: Queries, event: AuditEvent | null, now: Date): Pick<Queries, 'insert'> {
  if (event === null) return db
  const insert = db.insert(auditEvents).values(auditRow(event, now))
  return db.with(db.$with('audited').as(insert.returning({ id: auditEvents.id })))
}

/** All but the batch, which comes later. */
const eventFields = Object.keys(getTableColumns(auditEvents)).filter((field) => field !== 'batch')

/** Writes the event that `eventParameter` made, as a part of a statement that does something else. */
export function eventInsert(parameter: string): SQL {
  return insertedFrom(auditEvents, eventFields, sql.placeholder(parameter))
}

/** @param event null for none */
export function eventParameter(event: AuditEvent | null, now: Date): string {
  return rowsAsJson(auditEvents, eventFields, event === null ? [] : [auditRow(event, now)])
}

/**
 * Writes an event. Belongs into the transaction that makes the change, so that there is neither
 * without the other; nobody waits for anybody here, as batches are chained later.
 */
export async function recordAudit(db: Queries, event: AuditEvent, now: Date): Promise<void> {
  await db.insert(auditEvents).values(auditRow(event, now))
}
