import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import type { Test } from 'tap'
import type { Log } from '../../src/revocation/log.js'
import { recordAudit, type AuditEvent } from '../../src/audit/events.js'
import {
  type AuditVerification,
  type AuditVerificationOptions,
  verifyAudit
} from '../../src/audit/verification.js'
import { connectDatabase } from '../../src/database/connection.js'
import { connect } from './connect.js'
import { createManualClock } from './manual-clock.js'
import { createTestDatabase } from './postgres.js'

export interface LogLine {
  readonly event?: string
  readonly number?: number
  readonly events?: number
  readonly hash?: string
}

export const dayMs = 24 * 3_600_000

/** A log that keeps the fields of each line. */
export function createAuditLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = []
  const add = (fields: object) => {
    lines.push(fields)
  }
  return { lines, info: add, warn: add, error: add }
}

/** A database with nothing but the log of audit events to look at, and a superuser's connection to it. */
export async function openAuditLog(t: Test) {
  const url = await createTestDatabase(t)
  const database = connectDatabase(url)
  t.teardown(() => database.close())
  const log = createAuditLog()
  const { clock, advanceMs } = createManualClock()

  async function write(fields: Partial<AuditEvent> = {}): Promise<void> {
    await database.write((db) => recordAudit(db, auditEvent(fields), new Date(clock())))
  }

  const retentionMs = 10 * dayMs
  const verify = (more: Partial<AuditVerificationOptions> = {}) =>
    verifyAudit({ database, clock, retentionMs, ...more })
  return { url, database, log, clock, advanceMs, sql: connect(t, url), retentionMs, write, verify }
}

export function auditEvent(fields: Partial<AuditEvent> = {}): AuditEvent {
  const userId = randomUUID()
  return {
    action: 'session.opened',
    outcome: 'success',
    origin: { actor: { kind: 'user', id: userId }, ip: '192.0.2.1' },
    subject: { kind: 'session', id: randomUUID() },
    userId,
    reason: 'login',
    details: { z: 1, aa: 'é', a: [1.5, null, { b: true }] },
    ...fields
  }
}

/** Changes rows as somebody can who owns the tables. */
export async function tamper(sql: postgres.Sql, statement: string): Promise<void> {
  const tables = ['audit_events', 'audit_batches']
  await sql.begin(async (tx) => {
    for (const table of tables) await tx.unsafe(`alter table ${table} disable trigger all`)
    await tx.unsafe(statement)
    for (const table of tables) await tx.unsafe(`alter table ${table} enable trigger all`)
  })
}

/** Nothing is wrong with the chain, and it counts as much. */
export function assertWhole(
  t: Test,
  { findings, ...counts }: AuditVerification,
  expected: Partial<AuditVerification>
): void {
  t.same(findings, [])
  t.match(counts, expected)
}
