import { and, eq, gt, isNull, sql } from 'drizzle-orm'
import type { Queries } from '../database/connection.js'
import { deployment, nodes, revocations } from '../database/schema.js'
import type { NodeMode } from './nodes.js'

/** A node as its row shows it to people. Times in milliseconds. */
export interface ListedNode {
  readonly id: string
  readonly startedAt: Date
  readonly mode: NodeMode
  /** The data set that it may be deciding from, or following; null while it asks or follows Postgres. */
  readonly dataSet: string | null
  readonly leaseMs: number
  /** How long ago it last gave a sign of life. */
  readonly silentForMs: number
  /** By its last sign of life its replica holds every live revocation that there is. */
  readonly saysItHasAll: boolean
}

export interface NodeList {
  readonly generation: number
  readonly currentDataSet: string | null
  /** The data set that counts is not known to hold every live revocation. */
  readonly hasUnpublished: boolean
  readonly nodes: readonly ListedNode[]
}

/** Every node, the oldest first. Read as one snapshot. */
export async function listNodes(db: Queries, now: Date): Promise<NodeList> {
  const unpublished = db
    .select({ one: sql`1` })
    .from(revocations)
    .where(and(isNull(revocations.publishedAt), gt(revocations.liveUntil, now)))
  const missed = db
    .select({ one: sql`1` })
    .from(revocations)
    .where(
      and(
        gt(revocations.liveUntil, now),
        sql`${revocations.xid} >= pg_snapshot_xmin(${nodes.applied})`,
        sql`not pg_visible_in_snapshot(${revocations.xid}, ${nodes.applied})`
      )
    )
  const rows = await db
    .select({
      generation: deployment.generation,
      currentDataSet: deployment.dataSet,
      hasUnpublished: sql<boolean>`exists ${unpublished}`,
      node: {
        id: nodes.id,
        startedAt: nodes.startedAt,
        mode: nodes.mode,
        dataSet: nodes.dataSet,
        leaseMs: nodes.leaseMs
      },
      silentForMs: sql<number>`round(extract(epoch from now() - ${nodes.heartbeatAt}) * 1000)::float8`,
      saysItHasAll: sql<boolean>`${nodes.applied} is not null and not exists ${missed}`
    })
    .from(deployment)
    .leftJoin(nodes, sql`true`)
    .where(eq(deployment.id, 1))
    .orderBy(nodes.startedAt, nodes.id)
  const [first] = rows
  if (first === undefined) throw new Error('The deployment row is missing: run the migrations')
  const { generation, currentDataSet, hasUnpublished } = first
  return {
    generation,
    currentDataSet,
    hasUnpublished,
    nodes: rows.flatMap(({ node, silentForMs, saysItHasAll }) =>
      node === null ? [] : [{ ...node, silentForMs, saysItHasAll }]
    )
  }
}
