import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import { audited, type AuditEvent } from '../audit/events.js'
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

/** Writes the event in the same statement. */
export async function insertClient(
  db: Queries,
  client: ServiceClient & { readonly secretHash: Buffer },
  event: AuditEvent
): Promise<void> {
  await audited(db, event, client.createdAt).insert(clients).values(client)
}

/** All there ever were, newest first. */
export async function listClients(db: Queries): Promise<ServiceClient[]> {
  return await db.select(columns).from(clients).orderBy(desc(clients.createdAt), desc(clients.id))
}

/** Marks a client revoked. @returns false where it was before, or there is none. */
export async function markClientRevoked(db: Queries, id: string, now: Date): Promise<boolean> {
  const rows = await db
    .update(clients)
    .set({ revokedAt: now })
    .where(and(eq(clients.id, id), isNull(clients.revokedAt)))
    .returning({ id: clients.id })
  return rows.length === 1
}

export async function existsClient(db: Queries, id: string): Promise<boolean> {
  return (await db.$count(clients, eq(clients.id, id))) > 0
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
