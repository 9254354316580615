import { and, arrayContains, desc, eq, isNotNull, isNull, lt, or, sql, type SQL } from 'drizzle-orm'
import type { Queries } from '../database/connection.js'
import { users } from '../database/schema.js'
import { uuidPattern } from '../uuid.js'
import { canonicalEmail } from './email.js'
import { isEnabledAdmin } from './last-admin.js'
import type { User } from './store.js'

/** Which accounts are looked for. Without any of these, all of them. */
export interface UserFilter {
  /** The whole id, or how the e-mail address or the name begins, in any case. */
  readonly search?: string | undefined
  readonly role?: string | undefined
  readonly disabled?: boolean | undefined
}

export interface UserQuery extends UserFilter {
  /** The account after which the page begins; the newest is the first. */
  readonly after?: string | undefined
  readonly limit: number
}

/** Newest first, in the order of the ids, so that whoever is added meanwhile moves nobody. */
export async function findUsers(db: Queries, query: UserQuery): Promise<User[]> {
  const { search, role, disabled, after, limit } = query
  return await db
    .select()
    .from(users)
    .where(
      and(
        search === undefined ? undefined : matches(search),
        role === undefined ? undefined : arrayContains(users.roles, [role]),
        disabled === undefined ? undefined : disabledIs(disabled),
        after === undefined ? undefined : lt(users.id, after)
      )
    )
    .orderBy(desc(users.id))
    .limit(limit)
}

const disabledIs = (disabled: boolean): SQL =>
  disabled ? isNotNull(users.disabledAt) : isNull(users.disabledAt)

/** In the form that the prefix indexes understand. */
function matches(search: string): SQL | undefined {
  const id = search.toLowerCase()
  return or(
    sql`${users.email} like ${prefixPattern(canonicalEmail(search))}`,
    sql`lower(${users.name}) like lower(${prefixPattern(search)})`,
    uuidPattern.test(id) ? eq(users.id, id) : undefined
  )
}

/** What has a meaning in a pattern stands for itself. */
const prefixPattern = (text: string): string => `${text.replaceAll(/[\\%_]/g, '\\$&')}%`

/** An account whose row nobody else changes until the transaction ends. */
export async function lockUser(tx: Queries, id: string): Promise<User | undefined> {
  const [row] = await tx.select().from(users).where(eq(users.id, id)).for('update')
  return row
}

/** Whether this account administers the service; if so, nobody changes that until the transaction ends. */
export async function isStillAdmin(tx: Queries, id: string): Promise<boolean> {
  const [row] = await tx
    .select({ roles: users.roles, disabledAt: users.disabledAt })
    .from(users)
    .where(eq(users.id, id))
    .for('share')
  return row !== undefined && isEnabledAdmin(row)
}

/** Writes what an operator may change of an account whose row is locked. */
export async function updateUser(
  tx: Queries,
  { id, name, roles, disabledAt, tokenVersion }: User,
  now: Date
): Promise<User> {
  const [row] = await tx
    .update(users)
    .set({ name, roles, disabledAt, tokenVersion, updatedAt: now })
    .where(eq(users.id, id))
    .returning()
  if (row === undefined) throw new Error('An account vanished while its row was locked')
  return row
}
