import fp from 'fastify-plugin'
import { createRedisClient, type RedisClient } from '../redis/client.js'
import { closeRedis, openRedis } from '../redis/lifecycle.js'
import { reportOutages } from '../redis/outages.js'
import type { RedisTarget } from '../redis/target.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Undefined where none is configured. It may be away at any time, from the start on. */
    redis: RedisClient | undefined
  }
}

export interface RedisPluginOptions {
  readonly target: RedisTarget | undefined
}

/** How long the start waits for Redis; without it the service starts as well. */
const startMs = 1500

export default fp<RedisPluginOptions>(
  async function redisPlugin(app, { target }) {
    const redis = target === undefined ? undefined : createRedisClient(target)
    app.decorate<RedisClient | undefined, 'redis'>('redis', redis)
    if (redis === undefined) return
    const outages = reportOutages(redis, app.log)
    app.addHook('onClose', () => closeRedis(redis))
    const isReady = await openRedis(redis, startMs)
    if (!isReady) outages.begin()
  },
  { name: 'redis', fastify: '5.x' }
)
