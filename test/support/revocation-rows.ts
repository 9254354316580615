import { eq } from 'drizzle-orm'
import { deployment, nodes, revocations } from '../../src/database/schema.js'
import type { TestKeycard } from './keycard.js'

export type RevocationRow = typeof revocations.$inferSelect
export type NodeRow = typeof nodes.$inferSelect

/** What is recorded against a token, session or user, oldest first. */
export async function revocationsOf(node: TestKeycard, target: string): Promise<RevocationRow[]> {
  return await node.app.database.read((db) =>
    db
      .select()
      .from(revocations)
      .where(eq(revocations.target, target))
      .orderBy(revocations.sequence)
  )
}

/** The rows of all nodes, oldest first. */
export async function nodeRows(node: TestKeycard): Promise<NodeRow[]> {
  return await node.app.database.read((db) => db.select().from(nodes).orderBy(nodes.startedAt))
}

/** The data set in Redis that counts. */
export async function currentDataSet(node: TestKeycard): Promise<string | null> {
  const [row] = await node.app.database.read((db) => db.select().from(deployment))
  return row?.dataSet ?? null
}
