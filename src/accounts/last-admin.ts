import { and, arrayContains, isNull, ne, sql } from 'drizzle-orm'
import type { Queries } from '../database/connection.js'
import { users } from '../database/schema.js'
import { adminRole } from './roles.js'
import type { User } from './store.js'

/** Held by whoever takes an admin away, so that of two who remove each other the second sees the first. */
const lockKey = 0x6b63616c

export function isEnabledAdmin({ roles, disabledAt }: Pick<User, 'roles' | 'disabledAt'>): boolean {
  return disabledAt === null && roles.includes(adminRole)
}

/**
 * Whether without this account nobody could administer the service. What is answered holds until
 * the transaction ends.
 *
 * @param user as it is once its row is locked: always first the row and then this, or two
 *   transactions wait for each other
 */
export async function isLastAdmin(
  tx: Queries,
  user: Pick<User, 'id' | 'roles' | 'disabledAt'>
): Promise<boolean> {
  if (!isEnabledAdmin(user)) return false
  await tx.execute(sql`select pg_advisory_xact_lock(${lockKey})`)
  const others = await tx
    .select({ id: users.id })
    .from(users)
    .where(
      and(arrayContains(users.roles, [adminRole]), isNull(users.disabledAt), ne(users.id, user.id))
    )
    .limit(1)
  return others.length === 0
}
