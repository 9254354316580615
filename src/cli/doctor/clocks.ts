import { sql } from 'drizzle-orm'
import { Cluster } from 'ioredis'
import type { Clock } from '../../clock.js'
import type { Database } from '../../database/connection.js'
import type { RedisClient } from '../../redis/client.js'
import { duration } from '../times.js'
import { type Check, finder } from './finding.js'

/** How far another clock is ahead of ours, in ms, and by how much that may be wrong. */
export interface ClockFacts {
  readonly of: 'Postgres' | 'Redis'
  readonly aheadMs: number
  readonly uncertainMs: number
}

/** What tokens and revocations allow for; see revocation.ts. */
const allowedMs = 30_000
const noticeableMs = 1_000

/** @throws DatabaseUnavailable */
export async function readDatabaseClock(database: Database, clock: Clock): Promise<ClockFacts> {
  return await compare('Postgres', clock, async () => {
    const [row] = await database.read((db) =>
      db.execute<{ ms: number }>(
        sql`select extract(epoch from clock_timestamp())::float8 * 1000 as ms`
      )
    )
    return Number(row?.ms)
  })
}

export async function readRedisClock(redis: RedisClient, clock: Clock): Promise<ClockFacts> {
  const server = redis instanceof Cluster ? redis.nodes('master')[0] : redis
  return await compare('Redis', clock, async () => {
    const [seconds, microseconds] = (await server?.time()) ?? []
    return Number(seconds) * 1_000 + Number(microseconds) / 1_000
  })
}

async function compare(
  of: ClockFacts['of'],
  clock: Clock,
  ask: () => Promise<number>
): Promise<ClockFacts> {
  // The first answer may have waited for a connection.
  await ask()
  const before = clock()
  const theirs = await ask()
  const after = clock()
  return { of, aheadMs: theirs - (before + after) / 2, uncertainMs: (after - before) / 2 }
}

export const clockSkew: Check<ClockFacts> = ({ of, aheadMs, uncertainMs }) => {
  const { error, warning } = finder('clock')
  const apartMs = Math.abs(aheadMs) - uncertainMs
  if (apartMs <= noticeableMs) return undefined
  const found = `The clocks of this machine and of ${of} are ${duration(apartMs)} apart.`
  const advice = 'Run NTP on every machine, and look at it again.'
  return apartMs > allowedMs
    ? error(`${found} Tokens and revocations allow for 30 s.`, advice)
    : warning(found, advice)
}
