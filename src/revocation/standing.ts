import { eq, sql } from 'drizzle-orm'
import type { Queries } from '../database/connection.js'
import { deployment, nodes, revocations } from '../database/schema.js'
import { leaseMs, type NodeMode } from './nodes.js'

/** For what the statement that ended a lease, and the last read under it, may take. */
const marginMs = 5_000

export interface StandingNode {
  readonly id: string
  readonly mode: NodeMode
  /** The data set that it may be deciding from; null while it asks Postgres. */
  readonly dataSet: string | null
  /** Its lease is over, whatever became of it. */
  readonly isLapsed: boolean
}

/** Where a revocation stands. */
export interface Standing {
  /** It is in the data set that counts. */
  readonly isPublished: boolean
  readonly currentDataSet: string | null
  readonly nodes: readonly StandingNode[]
}

const lapse = sql`now() - make_interval(secs => ${(leaseMs + marginMs) / 1_000})`

/** Read as one snapshot, to be taken after the revocation was committed. */
export async function readStanding(db: Queries, revocationId: string): Promise<Standing> {
  const rows = await db
    .select({
      currentDataSet: deployment.dataSet,
      publishedAt: revocations.publishedAt,
      node: {
        id: nodes.id,
        mode: nodes.mode,
        dataSet: nodes.dataSet,
        isLapsed: sql<boolean>`${nodes.heartbeatAt} < ${lapse}`
      }
    })
    .from(deployment)
    .leftJoin(revocations, eq(revocations.id, revocationId))
    .leftJoin(nodes, sql`true`)
    .orderBy(nodes.startedAt, nodes.id)
  const [first] = rows
  if (first === undefined) throw new Error('The deployment row is missing: run the migrations')
  return {
    isPublished: first.publishedAt !== null,
    currentDataSet: first.currentDataSet,
    nodes: rows.flatMap(({ node }) => (node === null ? [] : [node]))
  }
}
