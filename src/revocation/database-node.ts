import type { Database } from '../database/connection.js'
import { every } from '../every.js'
import type { LocalNode } from './local-node.js'
import { removeNode, renewNode } from './nodes.js'

const renewMs = 1_000

/** Asks Postgres for every request. */
export function createDatabaseNode(nodeId: string, database: Database): LocalNode {
  const renew = () => database.write((db) => renewNode(db, { id: nodeId, mode: 'database' }))
  let renewing: ReturnType<typeof every> | undefined

  return {
    decide: () => undefined,
    apply: () => undefined,
    onUnpublished: () => undefined,
    status: () => ({ decidesFrom: 'database', leaseLeftMs: 0, lagMs: 0, live: 0 }),
    async start() {
      await renew()
      renewing = every(renewMs, renew)
    },
    async stop() {
      await renewing?.stop()
      await database.write((db) => removeNode(db, nodeId)).catch(() => undefined)
    }
  }
}
