import { eq, lt, sql } from 'drizzle-orm'
import type { Queries } from '../database/connection.js'
import { deployment, nodes } from '../database/schema.js'

/** Where a node looks when it decides: its own memory, the deny-list in Redis, or Postgres. */
export type NodeMode = typeof nodes.$inferSelect.mode

export interface NodeIdentity {
  readonly id: string
  readonly mode: NodeMode
}

/**
 * A node decides from Redis only within this time of the last sign of life that it wrote. So one
 * that says nothing any more, whether it is dead, frozen or cut off, holds up nobody for longer.
 */
export const leaseMs = 60_000

/** A node that fell silent is forgotten after this: its lease has long ended. */
const forgetAfter = sql`interval '65 minutes'`

/** What a node learns when it writes its sign of life. */
export interface Renewal {
  /** The data set that its row says it may be deciding from. */
  readonly own: string | null
  /** The data set that counts. */
  readonly current: string | null
}

/** Writes the node's row, or its sign of life. The times are the database's: one clock for all. */
export async function renewNode(db: Queries, node: NodeIdentity): Promise<Renewal> {
  const [renewal] = await db
    .insert(nodes)
    .values({ ...node, startedAt: sql`now()`, heartbeatAt: sql`now()` })
    .onConflictDoUpdate({ target: nodes.id, set: { heartbeatAt: sql`now()` } })
    .returning({
      own: nodes.dataSet,
      current: sql<string | null>`(select ${deployment.dataSet} from ${deployment})`
    })
  if (renewal === undefined) throw new Error('A row that was written was not returned')
  return renewal
}

export async function removeNode(db: Queries, id: string): Promise<void> {
  await db.delete(nodes).where(eq(nodes.id, id))
}

export async function forgetSilentNodes(db: Queries): Promise<void> {
  await db.delete(nodes).where(lt(nodes.heartbeatAt, sql`now() - ${forgetAfter}`))
}
