import { and, eq, inArray, sql } from 'drizzle-orm'
import { audited, type AuditEvent } from '../audit/events.js'
import { prepared, type Queries } from '../database/connection.js'
import { sessions, users } from '../database/schema.js'
import type { Change } from '../revocation/recorded-change.js'
import { lockSessions } from '../sessions/locks.js'

export type User = typeof users.$inferSelect

/** Writes the event, where there is one, in the same statement. */
export async function insertUser(
  tx: Queries,
  user: Pick<User, 'id' | 'email' | 'name' | 'passwordHash' | 'roles'>,
  now: Date,
  event: AuditEvent | null = null
): Promise<User> {
  const [row] = await audited(tx, event, now)
    .insert(users)
    .values({ ...user, createdAt: now, updatedAt: now })
    .returning()
  if (row === undefined) throw new Error('The database returned no row for an inserted user')
  return row
}

const selectByEmail = prepared((db) =>
  db
    .select()
    .from(users)
    .where(eq(users.email, sql.placeholder('email')))
    .prepare('keycard_user_by_email')
)

const selectById = prepared((db) =>
  db
    .select()
    .from(users)
    .where(eq(users.id, sql.placeholder('id')))
    .prepare('keycard_user')
)

export async function findUserByEmail(db: Queries, email: string): Promise<User | undefined> {
  const [row] = await selectByEmail(db).execute({ email })
  return row
}

export async function findUser(db: Queries, id: string): Promise<User | undefined> {
  const [row] = await selectById(db).execute({ id })
  return row
}

/** Which of these ids are accounts'. */
export async function findUserIds(db: Queries, ids: readonly string[]): Promise<string[]> {
  const rows = await db
    .select({ id: users.id })
    .from(users)
    .where(inArray(users.id, [...ids]))
  return rows.map(({ id }) => id)
}

export async function renameUser(
  db: Queries,
  id: string,
  name: string,
  now: Date
): Promise<User | undefined> {
  const [row] = await db
    .update(users)
    .set({ name, updatedAt: now })
    .where(eq(users.id, id))
    .returning()
  return row
}

/** Every token and session of the user belongs to an earlier version from now on. */
export function raisedTokenVersion(id: string, now: Date): Change {
  return sql`
    update ${users} set token_version = token_version + 1, updated_at = ${now.toISOString()}::timestamptz
    where id = ${id}::uuid returning id as user_id, token_version as level`
}

/**
 * Sets a new password and raises the token version, unless the user changed since the old password
 * was proved. @returns the new version
 */
export async function changePasswordHash(
  tx: Queries,
  proved: Pick<User, 'id' | 'tokenVersion'>,
  passwordHash: string,
  now: Date
): Promise<number | undefined> {
  const [row] = await tx
    .update(users)
    .set({ passwordHash, tokenVersion: sql`${users.tokenVersion} + 1`, updatedAt: now })
    .where(and(eq(users.id, proved.id), eq(users.tokenVersion, proved.tokenVersion)))
    .returning({ version: users.tokenVersion })
  return row?.version
}

/** Stores the same password under better parameters, unless it was changed in the meantime. */
export async function replacePasswordHash(
  db: Queries,
  id: string,
  { from, to }: { from: string; to: string }
): Promise<void> {
  await db
    .update(users)
    .set({ passwordHash: to })
    .where(and(eq(users.id, id), eq(users.passwordHash, from)))
}

/**
 * Deletes an account and, by the foreign key, its sessions.
 *
 * @returns the token version that the user had; undefined if it changed since or is gone
 */
export async function deleteUser(
  tx: Queries,
  proved: Pick<User, 'id' | 'tokenVersion'>
): Promise<number | undefined> {
  // The account before its sessions, as whoever changes both.
  await tx.select({ id: users.id }).from(users).where(eq(users.id, proved.id)).for('update')
  await lockSessions(tx, eq(sessions.userId, proved.id))
  const [row] = await tx
    .delete(users)
    .where(and(eq(users.id, proved.id), eq(users.tokenVersion, proved.tokenVersion)))
    .returning({ version: users.tokenVersion })
  return row?.version
}

/** Whether somebody has this role already. */
export async function existsWithRole(db: Queries, role: string): Promise<boolean> {
  const rows = await db
    .select({ id: users.id })
    .from(users)
    .where(sql`${role} = any(${users.roles})`)
    .limit(1)
  return rows.length > 0
}
