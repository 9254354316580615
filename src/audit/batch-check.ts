import type { Database } from '../database/connection.js'
import { type ChainedBatch, findBatch, sealedEvents } from './chain-pages.js'
import { hashOfBatch, noHash } from './digest.js'
import { createEventGroups, type EventGroup } from './event-groups.js'
import type { ReportFinding } from './findings.js'

/** Whether a batch is what was sealed, and follows from the one before it. */
export function checkBatch(
  batch: ChainedBatch,
  before: ChainedBatch | undefined,
  report: ReportFinding
): void {
  const { number } = batch
  const expected = (before?.number ?? 0) + 1
  if (number > expected) {
    const missing =
      number - 1 === expected ? `Batch ${expected} is` : `Batches ${expected} to ${number - 1} are`
    report('batch removed', expected, `${missing} missing.`)
  } else if (!batch.previousHash.equals(before?.hash ?? noHash)) {
    report('link broken', number, `Batch ${number} does not follow from the batch before it.`)
  }
  if (!batch.hash.equals(hashOfBatch(batch))) {
    report('batch changed', number, `Batch ${number} is not what was sealed under this number.`)
  }
}

/** Whether the events of a batch are those that were sealed in it, or all gone if it is pruned. */
export async function checkEvents(
  database: Database,
  batch: ChainedBatch,
  found: EventGroup,
  report: ReportFinding
): Promise<void> {
  if (isWhole(batch, found)) return
  // It may have been pruned since it was read.
  const now = await findBatch(database, batch.number)
  if (!batch.isPruned && now?.isPruned === true) {
    return await checkEvents(database, now, await readEvents(database, batch.number), report)
  }
  const { number, events } = batch
  const counted = `Batch ${number} was sealed with ${events} events and has ${found.count}.`
  if (batch.isPruned) {
    report(
      'pruned in part',
      number,
      `Batch ${number} is pruned and has ${found.count} events left.`
    )
  } else if (found.count < events) report('event removed', number, counted)
  else if (found.count > events) report('event added', number, counted)
  else report('event changed', number, `Batch ${number} has other events than were sealed in it.`)
}

function isWhole(batch: ChainedBatch, { count, hash }: EventGroup): boolean {
  if (batch.isPruned) return count === 0
  return count === batch.events && hash.equals(batch.eventsHash)
}

async function readEvents(database: Database, number: number): Promise<EventGroup> {
  return await createEventGroups(sealedEvents(database, number - 1, number)).of(number)
}
