import { Cluster, type Redis } from 'ioredis'
import { type ConnectionOptions, retryMs } from './connection-options.js'
import type { ClusterRedis } from './target.js'

/** See createRedisClient for what it promises. Only masters are asked, and nothing is asked twice. */
export function createClusterClient(target: ClusterRedis, connection: ConnectionOptions): Cluster {
  const nodes = target.nodes.map(({ host, port }) => ({ host, port }))
  const cluster = new Cluster(nodes, {
    lazyConnect: true,
    enableOfflineQueue: false,
    scaleReads: 'master',
    // Each error but the last may be a redirection: a slot that moved, or is just being moved.
    maxRedirections: 3,
    // A command that a failover cut off may have taken effect.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: 500,
    slotsRefreshInterval: 2000,
    clusterRetryStrategy: retryMs,
    // Connections are made to names, so that certificates are checked against them.
    dnsLookup: (host, done) => done(null, host),
    redisOptions: {
      ...connection,
      username: target.username,
      password: target.password,
      ...(target.tls && { tls: {} })
    }
  })
  askNoReplica(cluster)
  connectAhead(cluster)
  return cluster
}

/** Done when every master that is known has a connection. */
export async function mastersConnected(cluster: Cluster): Promise<void> {
  await Promise.allSettled(cluster.nodes('master').map(connectNode))
}

/**
 * While no master can be reached, the client would turn to a replica, and a read there finds less
 * than was written. So it does not get to keep any.
 */
function askNoReplica(cluster: Cluster): void {
  cluster.on('refresh', () => {
    for (const replica of cluster.nodes('slave')) replica.disconnect()
  })
}

/** A connection is made by its first command, and while it is made all others fail. */
function connectAhead(cluster: Cluster): void {
  cluster.on('ready', () => {
    void mastersConnected(cluster)
  })
  cluster.on('+node', (node: Redis) => {
    // Not before the command that found the node is sent to it.
    process.nextTick(() => {
      if (cluster.status === 'ready') connectNode(node).catch(() => undefined)
    })
  })
}

async function connectNode(node: Redis): Promise<void> {
  if (node.status === 'wait') return await node.connect()
  if (node.status === 'ready' || node.status === 'end') return
  await new Promise<void>((resolve) => {
    const done = (): void => {
      node.off('ready', done).off('end', done)
      resolve()
    }
    node.on('ready', done).on('end', done)
  })
}
