import { getTableName, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { Database, Queries } from '../database/connection.js'
import {
  auditBatches,
  auditEvents,
  deployment,
  nodes,
  sessions,
  users
} from '../database/schema.js'
import { migrationState } from '../database/migrations.js'
import type { NodeMode } from '../revocation/nodes.js'

/** A process that decides about tokens, as its row shows it. */
export interface NodeRow {
  readonly id: string
  readonly mode: NodeMode
  readonly dataSet: string | null
  readonly leaseMs: number
  /** Since its last sign of life, on the database's clock. */
  readonly silentForMs: number
  readonly startedAt: Date
  /** The client whose node it is; null for one of ours. */
  readonly clientId: string | null
}

/** How many rows there are; an estimate where counting them would take long. */
export interface RowCount {
  readonly rows: number
  readonly isEstimate: boolean
}

export interface AuditHead {
  /** The newest sealed batch; undefined where none is sealed yet. */
  readonly batch: number | undefined
  /** Of that batch, in hex: who notes it down can tell later that nothing before it was changed. */
  readonly hash: string | undefined
  readonly unsealed: RowCount
}

const countedRows = 100_000

export async function readNodes(database: Database): Promise<NodeRow[]> {
  const rows = await database.read((db) =>
    db
      .select({
        id: nodes.id,
        mode: nodes.mode,
        dataSet: nodes.dataSet,
        leaseMs: nodes.leaseMs,
        silentForMs: sql<string>`greatest(0, extract(epoch from now() - ${nodes.heartbeatAt}) * 1000)`,
        startedAt: nodes.startedAt,
        clientId: nodes.clientId
      })
      .from(nodes)
      .orderBy(nodes.startedAt, nodes.id)
  )
  return rows.map((row) => ({ ...row, silentForMs: Math.round(Number(row.silentForMs)) }))
}

export async function readDeploymentRow(database: Database) {
  const [row] = await database.read((db) =>
    db.select({ generation: deployment.generation, dataSet: deployment.dataSet }).from(deployment)
  )
  if (row === undefined) throw new Error('The deployment row is missing: run the migrations')
  return row
}

export async function readCounts(database: Database) {
  return await database.read(async (db) => ({
    users: await countRows(db, users),
    sessions: await countRows(db, sessions)
  }))
}

export async function readAuditHead(database: Database): Promise<AuditHead> {
  return await database.read(async (db) => {
    const [newest] = await db
      .select({ number: auditBatches.number, hash: auditBatches.hash })
      .from(auditBatches)
      .orderBy(sql`${auditBatches.number} desc`)
      .limit(1)
    const unsealed = await countRows(db, auditEvents, sql`${auditEvents.batch} is null`)
    return { batch: newest?.number, hash: newest?.hash.toString('hex'), unsealed }
  })
}

export async function readMigrations(database: Database) {
  return await database.read(migrationState)
}

/** Counts up to a bound, and takes the planner's word beyond it. */
async function countRows(db: Queries, table: PgTable, where = sql`true`): Promise<RowCount> {
  const [counted] = await db.execute<{ rows: number; estimate: number }>(sql`
    select
      (select count(*)::int from (select 1 from ${table} where ${where} limit ${countedRows + 1}) as some) as rows,
      (select reltuples::bigint::int from pg_class where oid = ${getTableName(table)}::regclass) as estimate`)
  const { rows = 0, estimate = 0 } = counted ?? {}
  if (rows <= countedRows) return { rows, isEstimate: false }
  return { rows: Math.max(estimate, rows), isEstimate: true }
}
