import { Cluster } from 'ioredis'
import type { RedisClient } from './client.js'
import { mastersConnected } from './cluster-client.js'

const goodbyeMs = 500

/**
 * Starts a client, and waits up to `withinMs` for its connections. Where that fails, it goes on trying
 * by itself.
 *
 * @returns whether it is ready
 */
export async function openRedis(redis: RedisClient, withinMs: number): Promise<boolean> {
  redis.connect().catch(() => undefined)
  await atMost(withinMs, async () => {
    await happens(redis, 'ready')
    if (redis instanceof Cluster) await mastersConnected(redis)
  })
  return redis.status === 'ready'
}

/** Ends a client for good. What it was asked and has not answered fails. */
export async function closeRedis(redis: RedisClient): Promise<void> {
  const hasConnection = redis.status !== 'reconnecting' && redis.status !== 'end'
  const ended = happens(redis, 'end')
  redis.disconnect()
  if (hasConnection) await atMost(goodbyeMs, () => ended)
}

async function atMost(ms: number, wait: () => Promise<void>): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    void wait().finally(() => {
      clearTimeout(timer)
      resolve()
    })
  })
}

function happens(redis: RedisClient, event: 'ready' | 'end'): Promise<void> {
  return new Promise((resolve) => {
    redis.once(event, () => resolve())
  })
}
