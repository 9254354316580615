import { eq } from 'drizzle-orm'
import type { Database } from '../database/connection.js'
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

/** The revocation that a receipt is about. @throws DatabaseUnavailable */
export async function readRevocation(database: Database, id: string): Promise<RecordedRevocation> {
  const [row] = await database.read((db) =>
    db.select(columns).from(revocations).where(eq(revocations.id, id))
  )
  if (row === undefined) throw new Error(`There is no revocation ${id}`)
  return row
}
