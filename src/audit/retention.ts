import { and, asc, gte, isNotNull, isNull, min, sql } from 'drizzle-orm'
import type { Clock } from '../clock.js'
import type { Database, Queries } from '../database/connection.js'
import { auditBatches, auditEvents } from '../database/schema.js'
import type { Log } from '../revocation/log.js'
import { takeChain } from './chain-lock.js'
import { recordAudit } from './events.js'
import { serviceOrigin } from './origin.js'

/** What one transaction can delete within a fraction of its deadline. */
const batchesPerStep = 5
const stepsPerRun = 20

export interface RetentionOptions {
  readonly database: Database
  readonly retentionMs: number
  readonly clock: Clock
  readonly log: Log
}

interface Pruned {
  readonly from: number
  readonly to: number
  readonly events: number
}

/**
 * Deletes the events of whole batches of which each event is older than the retention, oldest batch
 * first. The batch itself stays, with its hashes, so that the chain still verifies; and that it was
 * pruned is an event. Bounded: what is left is for the next run.
 *
 * @throws DatabaseUnavailable
 */
export async function pruneAudit(options: RetentionOptions): Promise<void> {
  const { database, retentionMs, clock, log } = options
  for (let step = 0; step < stepsPerRun; step++) {
    const now = new Date(clock())
    const before = new Date(now.getTime() - retentionMs)
    const pruned = await database.transaction((tx) => pruneOldest(tx, before, now))
    if (pruned === undefined) return
    log.info({ event: 'audit.pruned', ...pruned }, 'Audit events were older than AUDIT_RETENTION')
  }
}

/** @returns undefined where nothing is old enough, or another node is at it */
async function pruneOldest(tx: Queries, before: Date, now: Date): Promise<Pruned | undefined> {
  if (!(await takeChain(tx))) return undefined
  const due = dueBatches(await oldestBatches(tx), before)
  const [first] = due
  const last = due.at(-1)
  if (first === undefined || last === undefined) return undefined
  // One text for any number of batches: each text is a prepared statement.
  const numbers = sql`any(${`{${due.map(({ number }) => number).join()}}`}::int[])`
  // In this order: the events of no other batch may be deleted.
  await tx
    .update(auditBatches)
    .set({ prunedAt: now })
    .where(sql`${auditBatches.number} = ${numbers}`)
  await tx.delete(auditEvents).where(sql`${auditEvents.batch} = ${numbers}`)
  const events = due.reduce((sum, batch) => sum + batch.events, 0)
  const pruned = { from: first.number, to: last.number, events }
  const event = {
    action: 'audit.pruned',
    outcome: 'success',
    origin: serviceOrigin,
    subject: { kind: 'batch', id: String(last.number) },
    userId: null,
    reason: 'older than the retention',
    details: pruned
  } as const
  await recordAudit(tx, event, now)
  return pruned
}

type OldBatch = Pick<typeof auditBatches.$inferSelect, 'number' | 'events' | 'lastEventAt'>

/** Those that still have events: found by these, past any number of batches that were pruned. */
async function oldestBatches(tx: Queries): Promise<OldBatch[]> {
  const [row] = await tx
    .select({ number: min(auditEvents.batch) })
    .from(auditEvents)
    .where(isNotNull(auditEvents.batch))
  if (row?.number == null) return []
  const { number, events, lastEventAt, prunedAt } = auditBatches
  return await tx
    .select({ number, events, lastEventAt })
    .from(auditBatches)
    .where(and(gte(number, row.number), isNull(prunedAt)))
    .orderBy(asc(number))
    .limit(batchesPerStep)
}

/** The oldest ones in a row, so that no batch is pruned before an older one. */
function dueBatches(batches: readonly OldBatch[], before: Date): readonly OldBatch[] {
  const firstYoung = batches.findIndex(({ lastEventAt }) => lastEventAt >= before)
  return firstYoung === -1 ? batches : batches.slice(0, firstYoung)
}
