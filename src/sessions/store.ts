import {
  and,
  desc,
  eq,
  gt,
  inArray,
  isNotNull,
  isNull,
  lt,
  type Placeholder,
  sql,
  type SQL
} from 'drizzle-orm'
import { type AuditEvent, eventInsert, eventParameter } from '../audit/events.js'
import { prepared, type Queries } from '../database/connection.js'
import { isOneOf } from '../database/one-of.js'
import { deployment, sessions, users } from '../database/schema.js'
import type { Change } from '../revocation/recorded-change.js'
import { lockSessions } from './locks.js'

/** A session with what decides whether it is still alive. */
export interface SessionFacts {
  readonly id: string
  readonly userId: string
  readonly version: number
  readonly generation: number
  readonly counter: number
  readonly salt: Buffer
  readonly lastUsedAt: Date
  readonly expiresAt: Date
  readonly revokedAt: Date | null
  readonly roles: readonly string[]
  readonly userVersion: number
  readonly userDisabledAt: Date | null
  readonly currentGeneration: number
  /** The `kid` of every key that ever signed an access token of it. */
  readonly keyIds: readonly string[]
  /** Until when those who were logged out are asked to come back one after the other. */
  readonly loginsSpreadUntil: Date | null
}

export interface NewSession {
  readonly id: string
  readonly userId: string
  /** The token version that was read together with the password hash. */
  readonly expectedVersion: number
  readonly salt: Buffer
  readonly now: Date
  readonly expiresAt: Date
  readonly ip: string
  readonly userAgent: string | null
  /** The key that is about to sign its first access token. */
  readonly keyId: string
}

/** What a session was opened under, and may put into access tokens. */
export interface OpenedSession {
  readonly version: number
  readonly generation: number
  readonly roles: readonly string[]
}

/** Of users and the deployment, with which they are joined. */
export const currentSessions = and(
  isNull(sessions.revokedAt),
  eq(sessions.version, users.tokenVersion),
  eq(sessions.generation, deployment.generation),
  isNull(users.disabledAt)
)

const open = prepared((db) => {
  const owner = db.$with('owner').as(
    db
      .select({
        version: users.tokenVersion,
        generation: deployment.generation,
        roles: users.roles
      })
      .from(users)
      .innerJoin(deployment, eq(deployment.id, 1))
      .where(
        and(
          eq(users.id, sql.placeholder('userId')),
          eq(users.tokenVersion, sql.placeholder('expectedVersion')),
          isNull(users.disabledAt)
        )
      )
      .for('share', { of: users })
  )
  const audit = db
    .$with('audit', {})
    .as(sql`${eventInsert('event')} where exists (select from ${owner})`)
  const now = sql`${sql.placeholder('now')}::timestamptz`
  return db
    .with(owner, audit)
    .insert(sessions)
    .select(
      db
        .select({
          id: sql`${sql.placeholder('id')}::uuid`.as('id'),
          userId: sql`${sql.placeholder('userId')}::uuid`.as('user_id'),
          version: owner.version,
          generation: owner.generation,
          counter: sql`0`.as('counter'),
          salt: sql`${sql.placeholder('salt')}::bytea`.as('salt'),
          createdAt: now.as('created_at'),
          lastUsedAt: now.as('last_used_at'),
          expiresAt: sql`${sql.placeholder('expiresAt')}::timestamptz`.as('expires_at'),
          revokedAt: sql`null::timestamptz`.as('revoked_at'),
          ip: sql`${sql.placeholder('ip')}::text`.as('ip'),
          userAgent: sql`${sql.placeholder('userAgent')}::text`.as('user_agent'),
          keyIds: sql`array[${sql.placeholder('keyId')}::text]`.as('key_ids'),
          openedXid: sql`pg_current_xact_id()`.as('opened_xid')
        })
        .from(owner)
    )
    .returning({
      version: sessions.version,
      generation: sessions.generation,
      roles: sql`(select roles from ${owner})`.mapWith(users.roles)
    })
    .prepare('keycard_open_session')
})

/**
 * Opens a session only if the user's token version is still the expected one. The user's row is
 * locked against a change in between, so that a login with an old password can't slip past the
 * change of it. Writes the event, where there is one, if it opens. A single statement: logins pay for
 * each of them what argon2 leaves of the caches.
 */
export async function insertSession(
  db: Queries,
  session: NewSession,
  event: AuditEvent | null
): Promise<OpenedSession | undefined> {
  const { now, expiresAt, ...row } = session
  const [opened] = await open(db).execute({
    ...row,
    now: now.toISOString(),
    expiresAt: expiresAt.toISOString(),
    event: eventParameter(event, now)
  })
  return opened
}

const selectFacts = (db: Queries) =>
  db
    .select({
      id: sessions.id,
      userId: sessions.userId,
      version: sessions.version,
      generation: sessions.generation,
      counter: sessions.counter,
      salt: sessions.salt,
      lastUsedAt: sessions.lastUsedAt,
      expiresAt: sessions.expiresAt,
      revokedAt: sessions.revokedAt,
      roles: users.roles,
      userVersion: users.tokenVersion,
      userDisabledAt: users.disabledAt,
      currentGeneration: deployment.generation,
      keyIds: sessions.keyIds,
      loginsSpreadUntil: deployment.loginsSpreadUntil
    })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .innerJoin(deployment, eq(deployment.id, 1))

const selectSession = prepared((db) =>
  selectFacts(db)
    .where(eq(sessions.id, sql.placeholder('id')))
    .prepare('keycard_session')
)

export async function findSession(db: Queries, id: string): Promise<SessionFacts | undefined> {
  const [row] = await selectSession(db).execute({ id })
  return row
}

const selectSessions = prepared((db) =>
  selectFacts(db)
    .where(sql`${sessions.id} = any(${sql.placeholder('ids')}::uuid[])`)
    .prepare('keycard_sessions')
)

/** Several, in the order of their ids; undefined for each that there is not. */
export async function findSessions(
  db: Queries,
  ids: readonly string[]
): Promise<(SessionFacts | undefined)[]> {
  const rows = await selectSessions(db).execute({ ids: `{${ids.join()}}` })
  const found = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => found.get(id))
}

/** Notes that a key signs an access token of a session, before that goes out. */
export async function noteSigningKey(db: Queries, id: string, keyId: string): Promise<void> {
  await db
    .update(sessions)
    .set({ keyIds: withKey(keyId) })
    .where(eq(sessions.id, id))
}

/** The keys of a session with one more. */
export function withKey(keyId: string | Placeholder): SQL<string[]> {
  return sql`case
    when ${keyId}::text = any(${sessions.keyIds}) then ${sessions.keyIds}
    else array_append(${sessions.keyIds}, ${keyId}::text)
  end`
}

/** A session as its owner sees it. */
export type ListedSession = Pick<
  typeof sessions.$inferSelect,
  'id' | 'createdAt' | 'lastUsedAt' | 'expiresAt' | 'ip' | 'userAgent'
>

export async function listSessions(
  db: Queries,
  userId: string,
  { now, idleSince }: { now: Date; idleSince: Date }
): Promise<ListedSession[]> {
  return await db
    .select({
      id: sessions.id,
      createdAt: sessions.createdAt,
      lastUsedAt: sessions.lastUsedAt,
      expiresAt: sessions.expiresAt,
      ip: sessions.ip,
      userAgent: sessions.userAgent
    })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .innerJoin(deployment, eq(deployment.id, 1))
    .where(
      and(
        eq(sessions.userId, userId),
        currentSessions,
        gt(sessions.expiresAt, now),
        gt(sessions.lastUsedAt, idleSince)
      )
    )
    .orderBy(desc(sessions.lastUsedAt), desc(sessions.id))
}

/** Marks a session revoked, unless it already was or does not exist. */
export function revokedSession(id: string, now: Date): Change {
  return sql`
    update ${sessions} set revoked_at = ${now.toISOString()}::timestamptz
    where id = ${id}::uuid and revoked_at is null returning user_id, null::integer as level`
}

/** Lets one session outlive the rise of its user's token version by one; a session of an earlier version stays dead. */
export async function moveSessionTo(tx: Queries, id: string, version: number): Promise<void> {
  await tx
    .update(sessions)
    .set({ version })
    .where(and(eq(sessions.id, id), eq(sessions.version, version - 1)))
}

/** As `moveSessionTo`, for every session of a user: those of the version before, and of no earlier one. */
export async function moveSessionsTo(tx: Queries, userId: string, version: number): Promise<void> {
  const which = sql`${sessions.userId} = ${userId} and ${sessions.version} = ${version - 1}`
  const ids = await lockSessions(tx, which)
  await tx.update(sessions).set({ version }).where(isOneOf(sessions.id, ids))
}

/** Deletes a session that was revoked: its tokens are refused for not having one. */
export async function deleteSession(db: Queries, id: string): Promise<void> {
  await db.delete(sessions).where(and(eq(sessions.id, id), isNotNull(sessions.revokedAt)))
}

/** Deletes sessions that ended long ago. Bounded, so that it never holds many locks. */
export async function deleteSessionsBefore(db: Queries, before: Date, limit: number) {
  const old = db
    .select({ id: sessions.id })
    .from(sessions)
    .where(lt(sessions.expiresAt, before))
    .limit(limit)
    .for('update', { skipLocked: true })
  await db.delete(sessions).where(inArray(sessions.id, old))
}
