import { isNull } from 'drizzle-orm'
import type { Database } from '../database/connection.js'
import { auditEvents } from '../database/schema.js'
import { checkBatch, checkEvents } from './batch-check.js'
import {
  batchPages,
  type ChainedBatch,
  findLostBatch,
  findMisplacedBatch,
  sealedEvents
} from './chain-pages.js'
import { createEventGroups } from './event-groups.js'
import { type AuditFinding, createFindings, type ReportFinding } from './findings.js'
import { checkPruning, checkRecords, type PruningRules } from './pruning-check.js'

export interface AuditVerification {
  /** Batches there are, the pruned ones included. */
  readonly batches: number
  readonly prunedBatches: number
  /** Events that are in one of these batches. */
  readonly events: number
  /** Events that nothing protects yet. */
  readonly unsealed: number
  /** The newest batch. Its hash, in hex, stands for everything before: keep it elsewhere. */
  readonly head: { readonly number: number; readonly hash: string } | null
  /** The first 1000. Empty where all is well. */
  readonly findings: readonly AuditFinding[]
  /** How many there were beyond those. */
  readonly furtherFindings: number
  /** A sentence about what could not be told, for want of an expected head; null where one was given. */
  readonly unproven: string | null
}

export interface AuditVerificationOptions extends PruningRules {
  readonly database: Database
  /** The hash, in hex, of a batch that was there once, such as from a log line `audit.sealed`. */
  readonly expectedHead?: string | undefined
}

const maxFindings = 1_000

const unanchored =
  "That no batch was cut off at the end, nor all of them written anew, can't be told without the " +
  'head of an earlier sealing: the hash in the newest log line audit.sealed.'

/**
 * Recomputes the whole chain, a page at a time, while events are written, sealed and pruned. It can't
 * tell a chain that was cut off at its end, or written anew as a whole, from one that is right: for
 * that it needs an expected head from outside the database. Whether a batch was due to be pruned is
 * judged by the retention that is configured now.
 *
 * @throws DatabaseUnavailable
 */
export async function verifyAudit({
  database,
  expectedHead,
  ...rules
}: AuditVerificationOptions): Promise<AuditVerification> {
  const { report, read } = createFindings(maxFindings)
  const anchor = expectedHead?.toLowerCase()
  let isAnchored = anchor === undefined
  let isUnprunedSeen = false
  let newestPruned: number | undefined
  let before: ChainedBatch | undefined
  const counts = { batches: 0, prunedBatches: 0, events: 0 }

  for await (const page of batchPages(database)) {
    const groups = createEventGroups(sealedEvents(database, before?.number, page.last.number))
    for (const batch of page.batches) {
      const group = await groups.of(batch.number)
      checkBatch(batch, before, report)
      await checkEvents(database, batch, group, report)
      await checkPruning(database, batch, isUnprunedSeen, rules, report)
      isUnprunedSeen ||= !batch.isPruned
      if (batch.isPruned) newestPruned = batch.number
      isAnchored ||= batch.hash.toString('hex') === anchor
      counts.batches++
      counts.prunedBatches += Number(batch.isPruned)
      counts.events += group.count
      before = batch
    }
  }

  await reportStrays(database, before, report)
  if (newestPruned !== undefined) await checkRecords(database, newestPruned, report)
  if (!isAnchored) {
    report('anchor missing', null, 'No batch has the expected hash: some were cut off or replaced.')
  }
  return {
    ...counts,
    unsealed: await database.read((db) => db.$count(auditEvents, isNull(auditEvents.batch))),
    head: before ? { number: before.number, hash: before.hash.toString('hex') } : null,
    ...read(),
    unproven: anchor === undefined ? unanchored : null
  }
}

/** Events of batches that are not in the chain at all. */
async function reportStrays(
  database: Database,
  head: ChainedBatch | undefined,
  report: ReportFinding
): Promise<void> {
  const lost = await findLostBatch(database, head?.number ?? 0)
  if (lost !== undefined) {
    report('batch removed', lost, `Batch ${lost} is missing, though it has events.`)
  }
  const misplaced = await findMisplacedBatch(database)
  if (misplaced !== undefined) {
    report('event added', misplaced, `Events are in batch ${misplaced}, which can't be one.`)
  }
}
