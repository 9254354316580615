import { and, asc, eq, gt, lte, notExists, sql } from 'drizzle-orm'
import type { Database } from '../database/connection.js'
import { auditBatches, auditEvents } from '../database/schema.js'
import { batchFields, type BatchSeal, type SealedEvent, sealedFields } from './digest.js'

const batchesPerPage = 200
const eventsPerPage = 1_000

/** Before every batch, and every event of one. */
const beforeAll: EventPlace = { batch: -(2 ** 31), id: '00000000-0000-0000-0000-000000000000' }

export interface ChainedBatch extends BatchSeal {
  readonly hash: Buffer
  readonly isPruned: boolean
}

export interface ChainedEvent extends SealedEvent {
  readonly batch: number
}

interface EventPlace {
  readonly batch: number
  readonly id: string
}

/** Not null where the condition says so. */
const eventBatch = sql<number>`${auditEvents.batch}`

const chainedFields = {
  ...batchFields,
  hash: auditBatches.hash,
  isPruned: sql<boolean>`${auditBatches.prunedAt} is not null`
}

export interface BatchPage {
  readonly batches: readonly ChainedBatch[]
  readonly last: ChainedBatch
}

/** Every batch, in the order of the numbers, a page at a time. */
export async function* batchPages(database: Database): AsyncGenerator<BatchPage> {
  let after = beforeAll.batch
  for (;;) {
    const batches = await readBatches(database, after)
    const last = batches.at(-1)
    if (last === undefined) return
    yield { batches, last }
    after = last.number
  }
}

async function readBatches(database: Database, after: number): Promise<ChainedBatch[]> {
  return await database.read((db) =>
    db
      .select(chainedFields)
      .from(auditBatches)
      .where(gt(auditBatches.number, after))
      .orderBy(asc(auditBatches.number))
      .limit(batchesPerPage)
  )
}

export async function findBatch(
  database: Database,
  number: number
): Promise<ChainedBatch | undefined> {
  const [batch] = await database.read((db) =>
    db.select(chainedFields).from(auditBatches).where(eq(auditBatches.number, number))
  )
  return batch
}

/** The events that say they are in a batch after `after` and up to `upTo`, batch by batch. */
export async function* sealedEvents(
  database: Database,
  after: number | undefined,
  upTo: number
): AsyncGenerator<ChainedEvent> {
  let last = after === undefined ? beforeAll : { batch: after + 1, id: beforeAll.id }
  for (;;) {
    const page = await readEvents(database, last, upTo)
    yield* page
    last = page.at(-1) ?? last
    if (page.length < eventsPerPage) return
  }
}

async function readEvents(database: Database, { batch, id }: EventPlace, upTo: number) {
  return await database.read((db) =>
    db
      .select({ ...sealedFields, batch: eventBatch })
      .from(auditEvents)
      .where(
        and(
          sql`(${auditEvents.batch}, ${auditEvents.id}) > (${batch}::int, ${id}::uuid)`,
          lte(auditEvents.batch, upTo)
        )
      )
      .orderBy(asc(auditEvents.batch), asc(auditEvents.id))
      .limit(eventsPerPage)
  )
}

/**
 * The lowest batch after `after` that has events and is not there itself. In one statement, as
 * batches may be sealed meanwhile.
 */
export async function findLostBatch(
  database: Database,
  after: number
): Promise<number | undefined> {
  const [row] = await database.read((db) => {
    const itself = db
      .select({ number: auditBatches.number })
      .from(auditBatches)
      .where(eq(auditBatches.number, auditEvents.batch))
    return db
      .select({ batch: eventBatch })
      .from(auditEvents)
      .where(and(gt(auditEvents.batch, after), notExists(itself)))
      .orderBy(asc(auditEvents.batch))
      .limit(1)
  })
  return row?.batch
}

/** A number below the first batch's that an event says it is in. */
export async function findMisplacedBatch(database: Database): Promise<number | undefined> {
  const [row] = await database.read((db) =>
    db.select({ batch: eventBatch }).from(auditEvents).where(lte(auditEvents.batch, 0)).limit(1)
  )
  return row?.batch
}
