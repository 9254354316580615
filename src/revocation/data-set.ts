import { and, eq, sql } from 'drizzle-orm'
import type { Queries } from '../database/connection.js'
import { deployment, nodes } from '../database/schema.js'

/**
 * Which data set in Redis counts is written in Postgres, so that two servers which both take
 * themselves for the primary can't divide the nodes: a revocation in one of them would say nothing
 * about those that read the other. Names are never used twice.
 */
export async function declareDataSet(db: Queries, dataSet: string): Promise<void> {
  await db.update(deployment).set({ dataSet }).where(eq(deployment.id, 1))
}

export async function currentDataSet(db: Queries): Promise<string | null> {
  const [row] = await db.select({ dataSet: deployment.dataSet }).from(deployment)
  return row?.dataSet ?? null
}

/**
 * Writes that a node may decide from a data set, before it does: whoever revokes from now on sees
 * it. Only then it can be known that nothing was revoked elsewhere in between.
 *
 * @returns false where the node's row is gone
 */
export async function adoptDataSet(db: Queries, nodeId: string, dataSet: string) {
  const rows = await db
    .update(nodes)
    .set({ dataSet, heartbeatAt: sql`now()` })
    .where(eq(nodes.id, nodeId))
    .returning({ id: nodes.id })
  return rows.length === 1
}

/**
 * Writes that a node has stopped deciding from a data set that no longer counts. It may arrive late:
 * that data set is never adopted again.
 */
export async function leaveDataSet(db: Queries, nodeId: string, dataSet: string): Promise<void> {
  await db
    .update(nodes)
    .set({ dataSet: null })
    .where(and(eq(nodes.id, nodeId), eq(nodes.dataSet, dataSet)))
}
