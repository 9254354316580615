import { and, sql, type SQL } from 'drizzle-orm'
import type { Queries } from '../database/connection.js'
import { deployment, revocations } from '../database/schema.js'
import type { RevocationEvent } from './state.js'
import { decodeParts } from './stream-message.js'

/**
 * What a reader of the log has seen: the revocations of all transactions that had ended when it read,
 * as the text of pg_current_snapshot(). Opaque to everybody but Postgres.
 */
export type Horizon = string

/** Where a page ends. */
export interface Cursor {
  /** Microseconds since the epoch, which is what Postgres keeps: in milliseconds a page would repeat. */
  readonly liveUntilUs: number
  readonly sequence: number
}

export interface LogPage {
  readonly generation: number
  /** The data set in Redis that counts. */
  readonly dataSet: string | null
  /** Of the moment at which this page was read. */
  readonly horizon: Horizon
  readonly events: readonly RevocationEvent[]
  /** Where the next page starts; undefined where this is the last one. */
  readonly next: Cursor | undefined
}

export interface LogQuery {
  /** Leaves out what a reader with this horizon has seen; everything is read without. */
  readonly since: Horizon | undefined
  readonly after: Cursor | undefined
  readonly now: Date
  readonly limit: number
}

const liveUntilUs = sql`(date_part('epoch', ${revocations.liveUntil}) * 1000000)::bigint`
const line = sql<string>`format('%s|%s|%s|%s|%s', ${revocations.kind}, ${revocations.target}, ${revocations.level}, ${liveUntilUs}, ${revocations.sequence})`

/**
 * For what is new, which is usually nothing, by the index of transactions. A plan that is made once for
 * all horizons takes the index of the ends otherwise, and reads all that is live to find that nothing is.
 */
const liveUntilUnindexed = sql`(${revocations.liveUntil} + interval '0')`

/**
 * One page of the revocations that can still cover a token, in one statement and so of one moment.
 * In the order in which they cease to matter, since that index leaves the past alone. As one text, a
 * line for each: a million rows take the driver five times as long.
 *
 * Not "sequence > last": a transaction that took a lower number can commit later, and would be missed.
 */
export async function readLogPage(db: Queries, query: LogQuery): Promise<LogPage> {
  const { since, after, now, limit } = query
  const isNews = since !== undefined && after === undefined
  const liveUntil = isNews ? liveUntilUnindexed : sql`${revocations.liveUntil}`
  const page = db
    .select({ line: line.as('line'), sequence: revocations.sequence })
    .from(revocations)
    .where(and(sql`${liveUntil} > ${now.toISOString()}::timestamptz`, unseen(since), beyond(after)))
    .orderBy(liveUntil, revocations.sequence)
    .limit(limit)
    .as('page')
  const [row] = await db
    .select({
      generation: deployment.generation,
      dataSet: deployment.dataSet,
      horizon: sql<Horizon>`pg_current_snapshot()::text`,
      lines: sql<string | null>`(select string_agg(${page.line}, E'\n') from ${page})`
    })
    .from(deployment)
  if (row === undefined) throw new Error('The deployment row is missing: run the migrations')
  const { lines, ...rest } = row
  const entries = lines === null ? [] : lines.split('\n').map(readLine)
  return {
    ...rest,
    events: entries.map(({ event }) => event),
    next: entries.length === limit ? entries.at(-1)?.cursor : undefined
  }
}

function readLine(text: string): { readonly event: RevocationEvent; readonly cursor: Cursor } {
  const [kind = '', target = '', level = '', us = '', sequence = ''] = text.split('|')
  const liveUntilUs = Number(us)
  // Rounded up: nothing ceases to matter early.
  const liveUntil = String(Math.ceil(liveUntilUs / 1_000))
  return {
    event: decodeParts(kind, target, level, liveUntil),
    cursor: { liveUntilUs, sequence: Number(sequence) }
  }
}

function unseen(since: Horizon | undefined): SQL | undefined {
  if (since === undefined) return undefined
  return sql`${revocations.xid} >= pg_snapshot_xmin(${since}::pg_snapshot) and not pg_visible_in_snapshot(${revocations.xid}, ${since}::pg_snapshot)`
}

function beyond(after: Cursor | undefined): SQL | undefined {
  if (after === undefined) return undefined
  const { liveUntilUs, sequence } = after
  const liveUntil = sql`(timestamptz 'epoch' + ${liveUntilUs}::float8 * interval '1 microsecond')`
  return sql`(${revocations.liveUntil}, ${revocations.sequence}) > (${liveUntil}, ${sequence}::bigint)`
}
