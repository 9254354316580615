import { createDataSetFinder } from './data-set-finder.js'
import { createDatabaseNode } from './database-node.js'
import type { DenyList } from './deny-list.js'
import type { LocalNode } from './local-node.js'
import type { RevocationObserver } from './observer.js'
import { createPostgresFeed } from './postgres-feed.js'
import { createRedisFeed } from './redis-feed.js'
import { createRedisNode } from './redis-node.js'
import { createPostgresRegistry } from './registry.js'
import { createReplicaNode } from './replica-node.js'
import type { RevocationOptions } from './revocation.js'
import { createStream } from './stream.js'

/** How this process decides, as it was told to. */
export function createLocalNode(
  nodeId: string,
  denyList: DenyList | undefined,
  observer: RevocationObserver,
  options: RevocationOptions
): LocalNode {
  const { database, redis, mode, leaseMs, clock, log } = options
  const registry = createPostgresRegistry(database, clock)
  const { readLog } = registry
  const findDataSet = denyList && createDataSetFinder({ denyList, database, readLog, log })
  if (mode === 'database') return createDatabaseNode(nodeId, database)
  if (mode === 'redis') {
    if (denyList === undefined || findDataSet === undefined) {
      throw new TypeError('Mode redis needs a Redis')
    }
    return createRedisNode(nodeId, { denyList, findDataSet, database, clock, log })
  }
  const stream = redis?.feed && createStream(redis.feed)
  const feed =
    stream && findDataSet
      ? createRedisFeed({ nodeId, stream, findDataSet, leaseMs })
      : createPostgresFeed({ database, leaseMs, clock })
  return createReplicaNode({
    nodeId,
    clientId: null,
    feed,
    registry,
    leaseMs,
    clock,
    log,
    onTurn: observer.turned
  })
}
