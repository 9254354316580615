import { desc, eq, sql } from 'drizzle-orm'
import { prepared, type Queries } from '../database/connection.js'
import { clients } from '../database/schema.js'

/** A service that an operator has registered. What it proves itself with stays in here. */
export type ServiceClient = Omit<typeof clients.$inferSelect, 'secretHash'>

const columns = {
  id: clients.id,
  name: clients.name,
  createdAt: clients.createdAt,
  createdBy: clients.createdBy,
  revokedAt: clients.revokedAt
}

export async function insertClient(
  db: Queries,
  client: ServiceClient & { readonly secretHash: Buffer }
): Promise<void> {
  await db.insert(clients).values(client)
}

/** All there ever were, newest first. */
export async function listClients(db: Queries): Promise<ServiceClient[]> {
  return await db.select(columns).from(clients).orderBy(desc(clients.createdAt), desc(clients.id))
}

/** Marks a client revoked; the first time counts. @returns false where there is none. */
export async function markClientRevoked(db: Queries, id: string, now: Date): Promise<boolean> {
  const rows = await db
    .update(clients)
    .set({ revokedAt: sql`coalesce(${clients.revokedAt}, ${now.toISOString()}::timestamptz)` })
    .where(eq(clients.id, id))
    .returning({ id: clients.id })
  return rows.length === 1
}

const findById = prepared((db) =>
  db
    .select({ client: columns, secretHash: clients.secretHash })
    .from(clients)
    .where(eq(clients.id, sql.placeholder('id')))
    .prepare('keycard_client')
)

export async function findClient(
  db: Queries,
  id: string
): Promise<{ readonly client: ServiceClient; readonly secretHash: Buffer } | undefined> {
  const [row] = await findById(db).execute({ id })
  return row
}
