import { type Cluster, Redis } from 'ioredis'
import { createClusterClient } from './cluster-client.js'
import {
  type ConnectionOptions,
  connectionOptions,
  reconnectOn,
  retryMs
} from './connection-options.js'
import type { RedisTarget, SentinelRedis } from './target.js'

/** Both take the same commands. Keys that one command or script names must share a hash tag. */
export type RedisClient = Redis | Cluster

/**
 * A client that never waits: a command is answered or fails within 250 ms, and at once while there is
 * no connection. Nothing is sent twice; a command that failed may have taken effect. It reconnects by
 * itself, for ever, and finds the primary that took over. It starts with `connect()`.
 */
export function createRedisClient(target: RedisTarget): RedisClient {
  return create(
    target,
    connectionOptions({ connectionName: 'keycard', commandTimeout: 250, socketTimeout: 1000 })
  )
}

/**
 * A client of the same kind for commands that wait on the server, such as XREAD BLOCK, on connections
 * of its own: whatever else it was asked would wait behind them.
 *
 * @param options.commandTimeoutMs longer than the server may wait; a connection that has said nothing
 *   for so long is replaced
 */
export function createFeedClient(
  target: RedisTarget,
  { commandTimeoutMs }: { commandTimeoutMs: number }
): RedisClient {
  return create(
    target,
    connectionOptions({
      connectionName: 'keycard-feed',
      commandTimeout: commandTimeoutMs,
      socketTimeout: commandTimeoutMs
    })
  )
}

function create(target: RedisTarget, connection: ConnectionOptions): RedisClient {
  switch (target.kind) {
    case 'single':
      return new Redis(target.url, {
        ...connection,
        ...ofOneServer,
        // A primary that was demoted keeps its connections; a new one leads to who is primary now.
        reconnectOnError: reconnectOn('READONLY')
      })
    case 'sentinel':
      return new Redis({ ...connection, ...ofOneServer, ...sentinelOptions(target) })
    case 'cluster':
      return createClusterClient(target, connection)
  }
}

const ofOneServer = { lazyConnect: true, enableOfflineQueue: false, retryStrategy: retryMs }

function sentinelOptions(target: SentinelRedis) {
  return {
    sentinels: target.sentinels.map(({ host, port }) => ({ host, port })),
    name: target.name,
    db: target.db,
    username: target.username,
    password: target.password,
    sentinelUsername: target.sentinelUsername,
    sentinelPassword: target.sentinelPassword,
    sentinelCommandTimeout: 500,
    sentinelRetryStrategy: retryMs,
    // Those that are configured: what a sentinel says about others may be out of date.
    updateSentinels: false,
    ...(target.tls && { enableTLSForSentinelMode: true, tls: {}, sentinelTLS: {} }),
    // A primary without replicas may be one that was deposed and does not know it yet.
    reconnectOnError: reconnectOn('READONLY', 'NOREPLICAS')
  }
}
