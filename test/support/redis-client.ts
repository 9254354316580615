import type { Test } from 'tap'
import { loadConfig } from '../../src/config.js'
import { createFeedClient, createRedisClient, type RedisClient } from '../../src/redis/client.js'
import { closeRedis, openRedis } from '../../src/redis/lifecycle.js'
import { reportOutages } from '../../src/redis/outages.js'
import type { RedisTarget } from '../../src/redis/target.js'
import { createTestLog, type TestLog } from './test-log.js'

export interface ConnectedClient {
  readonly redis: RedisClient
  readonly isReady: boolean
  readonly log: TestLog
}

const startMs = 10_000

/** What REDIS_URL means. */
export function targetOf(url: string): RedisTarget {
  const { redis } = loadConfig({ REDIS_URL: url })
  if (redis === undefined) throw new Error('There is no Redis in an empty URL')
  return redis
}

/** The service's client, which tried to connect, and is closed when `t` ends. */
export async function connectClient(
  t: Test,
  { url, withinMs = startMs }: { url: string; withinMs?: number }
): Promise<ConnectedClient> {
  return await connect(t, createRedisClient(targetOf(url)), withinMs)
}

export async function connectFeed(
  t: Test,
  { url, commandTimeoutMs }: { url: string; commandTimeoutMs: number }
): Promise<ConnectedClient> {
  return await connect(t, createFeedClient(targetOf(url), { commandTimeoutMs }), startMs)
}

async function connect(t: Test, redis: RedisClient, withinMs: number): Promise<ConnectedClient> {
  const log = createTestLog()
  reportOutages(redis, log)
  t.teardown(() => closeRedis(redis))
  return { redis, isReady: await openRedis(redis, withinMs), log }
}
