import { desc, eq, lt } from 'drizzle-orm'
import type { Database, Queries } from '../database/connection.js'
import { revocations } from '../database/schema.js'

/** What was revoked, by whom and why. `target` is null for everyone. */
export type RecordedRevocation = Pick<
  typeof revocations.$inferSelect,
  'id' | 'kind' | 'target' | 'reason' | 'actorId' | 'createdAt' | 'liveUntil'
>

const columns = {
  id: revocations.id,
  kind: revocations.kind,
  target: revocations.target,
  reason: revocations.reason,
  actorId: revocations.actorId,
  createdAt: revocations.createdAt,
  liveUntil: revocations.liveUntil
}

/** A revocation, and when it was first known that no node accepts any more what it covers. */
export type PastRevocation = RecordedRevocation &
  Pick<typeof revocations.$inferSelect, 'confirmedAt'>

/**
 * What was revoked, newest first, in the order of the ids.
 *
 * @param after the revocation after which the page begins
 */
export async function listRevocations(
  db: Queries,
  { after, limit }: { readonly after: string | undefined; readonly limit: number }
): Promise<PastRevocation[]> {
  return await db
    .select({ ...columns, confirmedAt: revocations.confirmedAt })
    .from(revocations)
    .where(after === undefined ? undefined : lt(revocations.id, after))
    .orderBy(desc(revocations.id))
    .limit(limit)
}

/** The revocation that a receipt is about. @throws DatabaseUnavailable */
export async function readRevocation(database: Database, id: string): Promise<RecordedRevocation> {
  const [row] = await database.read((db) =>
    db.select(columns).from(revocations).where(eq(revocations.id, id))
  )
  if (row === undefined) throw new Error(`There is no revocation ${id}`)
  return row
}
