import { and, desc, isNotNull, lt, sql } from 'drizzle-orm'
import type { Database } from '../database/connection.js'
import { auditBatches } from '../database/schema.js'
import { batchFields, microseconds } from './digest.js'

const batchesPerPage = 1_000

/** Times in microseconds since the epoch. */
export interface PrunedBatch {
  readonly number: number
  readonly lastEventAtUs: string
  readonly prunedAtUs: string
}

/**
 * The batches that are pruned, newest first: from `newest`, or from one that was pruned meanwhile and
 * follows it without a gap.
 */
export async function* prunedNewestFirst(
  database: Database,
  newest: number
): AsyncGenerator<PrunedBatch> {
  let before = await findUnprunedAfter(database, newest)
  for (;;) {
    const page = await readPruned(database, before)
    yield* page
    before = page.at(-1)?.number ?? before
    if (page.length < batchesPerPage) return
  }
}

async function readPruned(database: Database, before: number): Promise<PrunedBatch[]> {
  const { number, lastEventAtUs } = batchFields
  return await database.read((db) =>
    db
      .select({ number, lastEventAtUs, prunedAtUs: microseconds(auditBatches.prunedAt) })
      .from(auditBatches)
      .where(and(lt(number, before), isNotNull(auditBatches.prunedAt)))
      .orderBy(desc(number))
      .limit(batchesPerPage)
  )
}

/** Where there is none, more than any number is. */
async function findUnprunedAfter(database: Database, number: number): Promise<number> {
  const [row] = await database.read((db) =>
    db
      .select({ number: auditBatches.number })
      .from(auditBatches)
      .where(sql`${auditBatches.number} > ${number} and ${auditBatches.prunedAt} is null`)
      .orderBy(auditBatches.number)
      .limit(1)
  )
  return row?.number ?? 2 ** 31 - 1
}

/** Whether a batch is pruned though an older one is not. */
export async function isPrunedOutOfOrder(database: Database, number: number): Promise<boolean> {
  const [row] = await database.read((db) =>
    db
      .select({ number: auditBatches.number })
      .from(auditBatches)
      .where(sql`${auditBatches.number} < ${number} and ${auditBatches.prunedAt} is null`)
      .limit(1)
  )
  return row !== undefined
}
