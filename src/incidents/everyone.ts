import { and, eq, exists, gt, isNull, sql } from 'drizzle-orm'
import type { Queries } from '../database/connection.js'
import { isOneOf } from '../database/one-of.js'
import { sessions, users } from '../database/schema.js'
import { raiseGeneration } from '../revocation/store.js'
import { lockSessions } from '../sessions/locks.js'
import { isSpared, type Moment } from './cohort.js'
import type { IncidentTarget } from './target.js'

/** Moving them along is one statement, which must not take long. */
export const maxSparedSessions = 5_000

/** More sessions would be spared than can be moved along in one statement. */
export class TooManySpared extends Error {
  override name = 'TooManySpared'
}

/**
 * Raises the generation, and moves the spared sessions along: their access tokens die and they go on
 * by refreshing. A session that was dead already stays dead.
 *
 * @returns the generation
 * @throws TooManySpared
 */
export async function endGeneration(
  tx: Queries,
  target: IncidentTarget,
  { now, idleSince }: Pick<Moment, 'now' | 'idleSince'>
): Promise<number> {
  const generation = await raiseGeneration(tx)
  if (target.spare === undefined && target.spareRole === undefined) return generation
  const owner = tx
    .select({ one: sql`1` })
    .from(users)
    .where(
      and(
        eq(users.id, sessions.userId),
        eq(users.tokenVersion, sessions.version),
        isNull(users.disabledAt),
        isSpared(target)
      )
    )
  const isMoved = sql`${and(
    eq(sessions.generation, generation - 1),
    isNull(sessions.revokedAt),
    gt(sessions.expiresAt, now),
    gt(sessions.lastUsedAt, idleSince),
    exists(owner)
  )}`
  const ids = await lockSessions(tx, isMoved)
  if (ids.length > maxSparedSessions) {
    throw new TooManySpared(`More than ${maxSparedSessions} sessions would be spared`)
  }
  await tx.update(sessions).set({ generation }).where(isOneOf(sessions.id, ids))
  return generation
}
