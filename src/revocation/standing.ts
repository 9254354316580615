import { sql } from 'drizzle-orm'
import { prepared, type Queries } from '../database/connection.js'
import { deployment, nodes } from '../database/schema.js'
import type { Horizon } from './log-page.js'
import { type NodeMode, postgresFollowerLifeMs, redisLeaseMs } from './nodes.js'

/** For what the statement that ended a lease, and the last read under it, may take. */
const marginMs = 5_000

/** A node as its row shows it. */
export interface StandingNode {
  readonly id: string
  readonly mode: NodeMode
  /** The data set that it may be deciding from, or following; null while it asks or follows Postgres. */
  readonly dataSet: string | null
  /** What its replica is known to hold. */
  readonly applied: Horizon | null
  readonly leaseMs: number
  /** What it decides from has ended by the silence of its row, whatever became of it. */
  readonly isLapsed: boolean
}

/** Who decides about tokens, and from what. Read as one snapshot. */
export interface Standing {
  readonly currentDataSet: string | null
  readonly nodes: readonly StandingNode[]
}

const silentFor = (ms: number) =>
  sql`${nodes.heartbeatAt} < now() - make_interval(secs => ${(ms + marginMs) / 1_000})`

/** A node that follows Redis goes on without Postgres, so that the silence of its row says nothing. */
const isLapsed = sql<boolean>`coalesce(case
  when ${nodes.mode} = 'redis' then ${silentFor(redisLeaseMs)}
  when ${nodes.mode} = 'replica' and ${nodes.dataSet} is null then ${silentFor(postgresFollowerLifeMs)}
end, false)`

const selectStanding = prepared((db) =>
  db
    .select({
      currentDataSet: deployment.dataSet,
      node: {
        id: nodes.id,
        mode: nodes.mode,
        dataSet: nodes.dataSet,
        applied: nodes.applied,
        leaseMs: nodes.leaseMs
      },
      isLapsed
    })
    .from(deployment)
    .leftJoin(nodes, sql`true`)
    .orderBy(nodes.startedAt, nodes.id)
    .prepare('keycard_standing')
)

/** Says something about a revocation only if it is read after that was committed. */
export async function readStanding(db: Queries): Promise<Standing> {
  const rows = await selectStanding(db).execute()
  const [first] = rows
  if (first === undefined) throw new Error('The deployment row is missing: run the migrations')
  return {
    currentDataSet: first.currentDataSet,
    nodes: rows.flatMap(({ node, isLapsed }) => (node === null ? [] : [{ ...node, isLapsed }]))
  }
}
