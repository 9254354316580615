import { and, eq, isNull, lt, sql } from 'drizzle-orm'
import type { Queries } from '../database/connection.js'
import { deployment, nodes } from '../database/schema.js'
import type { Horizon } from './log-page.js'

/** Where a node looks when it decides: its own memory, the deny-list in Redis, or Postgres. */
export type NodeMode = typeof nodes.$inferSelect.mode

export interface NodeIdentity {
  readonly id: string
  readonly mode: NodeMode
}

/**
 * A node in mode redis decides from Redis only within this time of the last sign of life that it
 * wrote. So one that says nothing any more, whether it is dead, frozen or cut off, holds up nobody
 * for longer.
 */
export const redisLeaseMs = 60_000

/**
 * A node that follows Postgres decides from its replica only within this time of its last sign of
 * life, besides its lease: without Postgres it could not decide anyway.
 */
export const postgresFollowerLifeMs = 10_000

/**
 * The same for a node that follows Redis. It may go on without Postgres, but not for so long that
 * its row is forgotten.
 */
export const redisFollowerLifeMs = 60 * 60_000

/** A node that fell silent is forgotten after this: it has not decided for a while by then. */
const forgetAfter = sql`interval '65 minutes'`

/** What a node learns when it writes its sign of life. */
export interface Renewal {
  /** The data set that its row says it may be deciding from. */
  readonly own: string | null
  /** The data set that counts. */
  readonly current: string | null
}

const current = sql<string | null>`(select ${deployment.dataSet} from ${deployment})`

/** Writes the node's row, or its sign of life. The times are the database's: one clock for all. */
export async function renewNode(db: Queries, node: NodeIdentity): Promise<Renewal> {
  const [renewal] = await db
    .insert(nodes)
    .values({ ...node, startedAt: sql`now()`, heartbeatAt: sql`now()` })
    .onConflictDoUpdate({ target: nodes.id, set: { heartbeatAt: sql`now()` } })
    .returning({ own: nodes.dataSet, current })
  if (renewal === undefined) throw new Error('A row that was written was not returned')
  return renewal
}

/** A node as its row says it decides from now on. */
export interface NodeState {
  readonly id: string
  readonly mode: NodeMode
  readonly dataSet: string | null
  readonly leaseMs: number
  /** Rises with every change, so that one that arrives late takes nothing back. */
  readonly epoch: number
  readonly clientId: string | null
}

/** Writes how a node decides from now on. What its replica held before no longer counts. */
export async function declareNode(db: Queries, node: NodeState): Promise<void> {
  const { mode, dataSet, leaseMs, epoch } = node
  await db
    .insert(nodes)
    .values({ ...node, startedAt: sql`now()`, heartbeatAt: sql`now()` })
    .onConflictDoUpdate({
      target: nodes.id,
      set: { mode, dataSet, leaseMs, epoch, applied: null, heartbeatAt: sql`now()` },
      setWhere: sql`${lt(nodes.epoch, epoch)} and ${belongsTo(node.clientId)}`
    })
}

const belongsTo = (clientId: string | null) =>
  clientId === null ? isNull(nodes.clientId) : eq(nodes.clientId, clientId)

/** What a replica finds in its row. */
export interface Sighting {
  readonly mode: NodeMode
  readonly dataSet: string | null
  readonly epoch: number
  /** The data set that counts. */
  readonly current: string | null
}

/**
 * A replica's sign of life, with what it holds by now.
 *
 * @returns undefined where the row is gone: writers don't reckon with this node any more
 */
export async function confirmNode(
  db: Queries,
  { id, epoch, clientId }: Pick<NodeState, 'id' | 'epoch' | 'clientId'>,
  applied: Horizon | undefined
): Promise<Sighting | undefined> {
  const [sighting] = await db
    .update(nodes)
    .set({ heartbeatAt: sql`now()`, ...(applied === undefined ? {} : { applied }) })
    .where(and(eq(nodes.id, id), eq(nodes.epoch, epoch), belongsTo(clientId)))
    .returning({ mode: nodes.mode, dataSet: nodes.dataSet, epoch: nodes.epoch, current })
  return sighting
}

/** @param clientId whose node it is; null for one of ours */
export async function removeNode(
  db: Queries,
  id: string,
  clientId: string | null = null
): Promise<void> {
  await db.delete(nodes).where(and(eq(nodes.id, id), belongsTo(clientId)))
}

export async function listNodeIds(db: Queries): Promise<string[]> {
  const rows = await db.select({ id: nodes.id }).from(nodes)
  return rows.map(({ id }) => id)
}

export async function forgetSilentNodes(db: Queries): Promise<void> {
  await db.delete(nodes).where(lt(nodes.heartbeatAt, sql`now() - ${forgetAfter}`))
}
