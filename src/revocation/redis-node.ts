import { decide } from './decision.js'
import type { DenyList } from './deny-list.js'
import { createDenyListKeeper } from './deny-list-keeper.js'
import { createDenyListReader } from './deny-list-reader.js'
import { every } from '../every.js'
import type { LocalNode } from './local-node.js'
import { removeNode } from './nodes.js'

const renewMs = 1_000

/**
 * Reads the deny-list in Redis for every request, many requests at a time: for processes that live
 * too shortly to keep a replica.
 */
export function createRedisNode(
  nodeId: string,
  options: Omit<Parameters<typeof createDenyListKeeper>[0], 'node'> & {
    readonly denyList: DenyList
  }
): LocalNode {
  const { denyList, database } = options
  const keeper = createDenyListKeeper({ ...options, node: { id: nodeId, mode: 'redis' } })
  let renewing: ReturnType<typeof every> | undefined
  const read = createDenyListReader(async (batch) => {
    const dataSet = keeper.dataSet()
    return dataSet === undefined ? undefined : await denyList.read(dataSet, batch)
  })

  return {
    decide(claims) {
      if (keeper.dataSet() === undefined) return undefined
      const reading = read(claims).catch(() => undefined)
      return reading.then((view) => {
        if (view !== undefined) return decide(claims, view)
        keeper.recover()
        return undefined
      })
    },
    apply: () => undefined,
    onUnpublished: () => keeper.recover(),
    status: () => ({
      decidesFrom: keeper.dataSet() === undefined ? 'database' : 'redis',
      leaseLeftMs: 0,
      lagMs: 0,
      live: 0
    }),
    async start() {
      await keeper.renew()
      await keeper.start()
      renewing = every(renewMs, () => keeper.renew())
    },
    async stop() {
      await Promise.all([keeper.stop(), renewing?.stop()])
      await database.write((db) => removeNode(db, nodeId)).catch(() => undefined)
    }
  }
}
