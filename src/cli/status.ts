import { getTableName, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { Database, Queries } from '../database/connection.js'
import { auditBatches, auditEvents, sessions, users } from '../database/schema.js'
import { migrationState } from '../database/migrations.js'

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
      (select count(*)::int from (select 1 from ${table} where ${where} limit ${countedRows + 1}) as counted) as rows,
      (select reltuples::bigint::int from pg_class where oid = ${getTableName(table)}::regclass) as estimate`)
  const { rows = 0, estimate = 0 } = counted ?? {}
  if (rows <= countedRows) return { rows, isEstimate: false }
  return { rows: Math.max(estimate, rows), isEstimate: true }
}
