import { and, asc, eq, gt } from 'drizzle-orm'
import type { Database } from '../database/connection.js'
import { auditEvents } from '../database/schema.js'

const eventsPerPage = 1_000
const beforeAll = '00000000-0000-0000-0000-000000000000'

interface Range {
  readonly from: number
  readonly to: number
}

export interface RecordedPrunings {
  /** Whether an event that is still there says that this batch was pruned. */
  readonly covers: (batch: number) => boolean
}

/** What the audit says itself about pruning, a page at a time. */
export async function readRecordedPrunings(database: Database): Promise<RecordedPrunings> {
  const ranges: Range[] = []
  for await (const details of pruningDetails(database)) {
    const range = rangeOf(details)
    if (range !== undefined) append(ranges, range)
  }
  return { covers: (batch) => ranges.some(({ from, to }) => from <= batch && batch <= to) }
}

async function* pruningDetails(database: Database): AsyncGenerator<unknown> {
  let after = beforeAll
  for (;;) {
    const page = await database.read((db) =>
      db
        .select({ id: auditEvents.id, details: auditEvents.details })
        .from(auditEvents)
        .where(and(eq(auditEvents.action, 'audit.pruned'), gt(auditEvents.id, after)))
        .orderBy(asc(auditEvents.id))
        .limit(eventsPerPage)
    )
    for (const { details } of page) yield details
    after = page.at(-1)?.id ?? after
    if (page.length < eventsPerPage) return
  }
}

/** Anybody who can write an event may have written this one. */
function rangeOf(details: unknown): Range | undefined {
  if (typeof details !== 'object' || details === null) return undefined
  if (!('from' in details) || !('to' in details)) return undefined
  const { from, to } = details
  return typeof from === 'number' && typeof to === 'number' ? { from, to } : undefined
}

/** Each pruning goes on where the one before ended: so one range holds any number of them. */
function append(ranges: Range[], { from, to }: Range): void {
  const last = ranges.at(-1)
  if (last !== undefined && last.to + 1 === from) ranges.splice(-1, 1, { from: last.from, to })
  else ranges.push({ from, to })
}
