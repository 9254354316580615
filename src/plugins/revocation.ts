import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Clock } from '../clock.js'
import { createFeedClient, type RedisClient } from '../redis/client.js'
import { closeRedis, openRedis } from '../redis/lifecycle.js'
import type { RedisTarget } from '../redis/target.js'
import { createRevocation, type RevocationService } from '../revocation/revocation.js'
import type { NodeMode } from '../revocation/nodes.js'

declare module 'fastify' {
  interface FastifyInstance {
    revocation: RevocationService
  }
}

export interface RevocationPluginOptions {
  readonly mode: NodeMode
  /** Where `app.redis` leads, for the connection on which a replica follows it. */
  readonly redisTarget: RedisTarget | undefined
  /** How long an answer may wait for its confirmation, in milliseconds. */
  readonly deadlineMs: number
  /** How long a node may decide from its replica after a read of its feed was sent, in milliseconds. */
  readonly leaseMs: number
  /** How long Redis may have two primaries after a failover, in milliseconds; 0 where it can't. */
  readonly failoverFenceMs: number
  /** The longest life of an access token: the same on every node of a deployment. */
  readonly accessTokenTtlSeconds: number
  readonly clock: Clock
}

/** How long the start waits for the feed's connection; without it the service starts as well. */
const startMs = 1500

/** Makes this process a node that decides about tokens, and takes it off the list when it stops. */
export default fp<RevocationPluginOptions>(
  async function revocationPlugin(app, options) {
    const { database, redis, log } = app
    const feed = options.mode === 'replica' ? await openFeed(app, options) : undefined
    const connections = redis && { commands: redis, feed }
    const revocation = createRevocation({ ...options, database, redis: connections, log })
    app.decorate('revocation', revocation)
    app.addHook('onClose', () => revocation.stop())
    await revocation.start()
  },
  {
    name: 'revocation',
    fastify: '5.x',
    dependencies: ['database', 'redis']
  }
)

async function openFeed(
  app: FastifyInstance,
  { redisTarget, leaseMs }: RevocationPluginOptions
): Promise<RedisClient | undefined> {
  if (redisTarget === undefined) return undefined
  // An answer that comes later renews no lease any more.
  const feed = createFeedClient(redisTarget, { commandTimeoutMs: leaseMs })
  // Whoever needed the connection is told by the command; the other client reports the outage.
  feed.on('error', () => undefined)
  // Hooks of this kind run last first: what follows the feed has stopped by then.
  app.addHook('onClose', () => closeRedis(feed))
  await openRedis(feed, startMs)
  return feed
}
