import type { LocalNode } from './local-node.js'
import { createReplica, type ReplicaOptions } from './replica.js'

/** Decides from memory, without any call, as long as its lease holds. */
export function createReplicaNode(options: ReplicaOptions): LocalNode {
  const replica = createReplica(options)

  return {
    decide: replica.decide,
    apply: (event) => replica.apply([event]),
    // Its own feed tells it when the data set is no longer the one that counts.
    onUnpublished: () => undefined,
    status: replica.status,
    start: replica.start,
    stop: replica.stop
  }
}
