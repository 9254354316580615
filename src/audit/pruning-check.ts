import type { Clock } from '../clock.js'
import type { Database } from '../database/connection.js'
import type { ChainedBatch } from './chain-pages.js'
import type { ReportFinding } from './findings.js'
import { isPrunedOutOfOrder, prunedNewestFirst } from './pruned-batches.js'
import { readRecordedPrunings } from './recorded-prunings.js'

/** How far the clock of the node that pruned may be ahead of this one. */
const clockLeewayMs = 60_000
const dayMs = 24 * 3_600_000

export interface PruningRules {
  readonly retentionMs: number
  readonly clock: Clock
}

/** Whether the events of a pruned batch were due to go, and whether those of all older ones had gone. */
export async function checkPruning(
  database: Database,
  batch: ChainedBatch,
  isOlderUnpruned: boolean,
  { retentionMs, clock }: PruningRules,
  report: ReportFinding
): Promise<void> {
  const { number, isPruned, lastEventAtUs } = batch
  if (!isPruned) return
  // What was seen of the older ones may be out of date: they may have been pruned since.
  if (isOlderUnpruned && (await isPrunedOutOfOrder(database, number))) {
    report('pruned out of order', number, `Batch ${number} is pruned, but an older one is not.`)
  }
  if (Number(lastEventAtUs) / 1_000 >= clock() + clockLeewayMs - retentionMs) {
    const retention = `AUDIT_RETENTION of ${Number((retentionMs / dayMs).toFixed(2))} days`
    report(
      'pruned too early',
      number,
      `Batch ${number} is pruned, but its last event is younger than the present ${retention}. ` +
        'That is right only if the retention was shorter when the batch was pruned.'
    )
  }
}

/**
 * Whether the audit has an event that tells of each pruned batch. That event is of the moment of the
 * pruning and in a later batch: so it must still be there, unless a later pruned batch reaches to that
 * moment. Of the newest pruned batch it must always be there.
 */
export async function checkRecords(
  database: Database,
  newest: number,
  report: ReportFinding
): Promise<void> {
  // Before the batches: an event that was pruned in between is then in a batch that is seen as pruned.
  const recorded = await readRecordedPrunings(database)
  let lastEventAtUs = -Infinity
  for await (const batch of prunedNewestFirst(database, newest)) {
    const { number } = batch
    const mayBeGone = Number(batch.prunedAtUs) <= lastEventAtUs
    // Newer ones were pruned since the events were read.
    if (number <= newest && !mayBeGone && !recorded.covers(number)) {
      report(
        'pruning not recorded',
        number,
        `Batch ${number} is pruned, but no event audit.pruned tells of it.`
      )
    }
    lastEventAtUs = Math.max(lastEventAtUs, Number(batch.lastEventAtUs))
  }
}
