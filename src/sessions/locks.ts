import { asc, type SQL } from 'drizzle-orm'
import type { Queries } from '../database/connection.js'
import { sessions } from '../database/schema.js'

/**
 * Locks sessions until the transaction ends, in the order of their ids. Whoever is about to change more
 * than one does it first: two who took them in different orders could wait for each other.
 *
 * @returns their ids
 */
export async function lockSessions(tx: Queries, which: SQL): Promise<string[]> {
  const rows = await tx
    .select({ id: sessions.id })
    .from(sessions)
    .where(which)
    .orderBy(asc(sessions.id))
    .for('update')
  return rows.map(({ id }) => id)
}
