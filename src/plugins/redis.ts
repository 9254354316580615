import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { createRedisClient } from '../redis/client.js'
import { reportOutages } from '../redis/outages.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Undefined where none is configured. It may be away at any time, from the start on. */
    redis: Redis | undefined
  }
}

export interface RedisPluginOptions {
  readonly url: string | undefined
}

/** How long the start waits for Redis; without it the service starts as well. */
const startMs = 1500
const goodbyeMs = 500

export default fp<RedisPluginOptions>(
  async function redisPlugin(app, { url }) {
    const redis = url === undefined ? undefined : createRedisClient(url)
    app.decorate('redis', redis)
    if (redis === undefined) return
    const outages = reportOutages(redis, app.log)
    app.addHook('onClose', () => disconnect(redis))
    // Where the first attempt fails, the client goes on by itself.
    redis.connect().catch(() => undefined)
    await happens(redis, 'ready', startMs)
    if (redis.status !== 'ready') outages.begin()
  },
  { name: 'redis', fastify: '5.x' }
)

async function disconnect(redis: Redis): Promise<void> {
  const hasConnection = redis.status !== 'reconnecting' && redis.status !== 'end'
  redis.disconnect()
  if (hasConnection) await happens(redis, 'end', goodbyeMs)
}

/** Done when `event` happens, or after `ms`. */
function happens(redis: Redis, event: 'ready' | 'end', ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    redis.once(event, () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
