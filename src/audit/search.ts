import { and, desc, eq, gte, lt, type SQL } from 'drizzle-orm'
import { union } from 'drizzle-orm/pg-core'
import type { Database, Queries } from '../database/connection.js'
import { auditEvents } from '../database/schema.js'
import { uuidPattern } from '../uuid.js'
import { firstEventId } from './event-id.js'
import type { AuditAction, AuditOutcome } from './events.js'

/** An event as it is kept. */
export interface RecordedAuditEvent {
  readonly id: string
  readonly occurredAt: Date
  /** One of `auditActions`, or one that a later version knows. */
  readonly action: string
  readonly outcome: AuditOutcome
  /** `id` is the name of an operator; null for the service and for nobody. */
  readonly actor: { readonly kind: string; readonly id: string | null }
  readonly subject: { readonly kind: string; readonly id: string } | null
  readonly userId: string | null
  readonly ip: string | null
  readonly reason: string | null
  readonly details: Readonly<Record<string, unknown>> | null
  /** The batch that seals it; null until then. */
  readonly batch: number | null
}

/** All that is given must be true of an event. */
export interface AuditFilter {
  readonly actor?: string | undefined
  /** What it happened to, or the account that it is about. */
  readonly subject?: string | undefined
  readonly action?: AuditAction | undefined
  /** At this moment or later. */
  readonly since?: Date | undefined
  /** Before this moment. */
  readonly until?: Date | undefined
  /** From the page before. */
  readonly cursor?: string | undefined
  /** At most 200. */
  readonly limit?: number | undefined
}

export interface AuditPage {
  /** Newest first. */
  readonly events: readonly RecordedAuditEvent[]
  /** Gets the next page; null where this is the last one. */
  readonly nextCursor: string | null
}

export const auditPageSize = { default: 50, max: 200 }

/** 16 bytes in base64url: every text of this form is a cursor. */
export const auditCursorPattern = /^[A-Za-z0-9_-]{21}[AQgw]$/

type Row = typeof auditEvents.$inferSelect

/**
 * Events that fit, newest first. Whoever follows the cursor meets each event that was there at the
 * first page once, however many are written meanwhile.
 *
 * @throws RangeError for a limit or a cursor that can't be one, DatabaseUnavailable
 */
export async function searchAudit(database: Database, filter: AuditFilter): Promise<AuditPage> {
  const { subject, limit = auditPageSize.default } = filter
  if (!Number.isInteger(limit) || limit < 1 || limit > auditPageSize.max) {
    throw new RangeError(`limit must be a whole number from 1 to ${auditPageSize.max}`)
  }
  const condition = conditionOf(filter)
  const rows = await database.read((db) =>
    subject === undefined
      ? newest(db, condition, limit + 1)
      : newestAbout(db, subject, condition, limit + 1)
  )
  const events = rows.slice(0, limit).map(recorded)
  const last = events.at(-1)
  return { events, nextCursor: rows.length > limit && last ? cursorOf(last.id) : null }
}

function conditionOf({ actor, action, since, until, cursor }: AuditFilter): SQL | undefined {
  return and(
    actor === undefined ? undefined : eq(auditEvents.actor, actor),
    action === undefined ? undefined : eq(auditEvents.action, action),
    since === undefined ? undefined : gte(auditEvents.id, firstEventId(since)),
    until === undefined ? undefined : lt(auditEvents.id, firstEventId(until)),
    cursor === undefined ? undefined : lt(auditEvents.id, idOf(cursor))
  )
}

function newest(db: Queries, condition: SQL | undefined, limit: number) {
  return db.select().from(auditEvents).where(condition).orderBy(desc(auditEvents.id)).limit(limit)
}

/** Each half walks its own index and stops early, where an OR would sort all that fits. */
async function newestAbout(
  db: Queries,
  subject: string,
  condition: SQL | undefined,
  limit: number
): Promise<Row[]> {
  const happened = newest(db, and(eq(auditEvents.subject, subject), condition), limit)
  if (!uuidPattern.test(subject)) return await happened
  const concerned = newest(db, and(eq(auditEvents.userId, subject), condition), limit)
  return await union(happened, concerned).orderBy(desc(auditEvents.id)).limit(limit)
}

function recorded(row: Row): RecordedAuditEvent {
  const { actorKind, actor, subjectKind, subject, ...rest } = row
  return {
    ...rest,
    actor: { kind: actorKind, id: actor },
    subject: subjectKind === null || subject === null ? null : { kind: subjectKind, id: subject }
  }
}

function cursorOf(id: string): string {
  return Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url')
}

function idOf(cursor: string): string {
  if (!auditCursorPattern.test(cursor)) throw new RangeError('This is no cursor')
  const hex = Buffer.from(cursor, 'base64url').toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
