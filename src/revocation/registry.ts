import type { Clock } from '../clock.js'
import type { Database } from '../database/connection.js'
import { type Horizon, readLogPage } from './log-page.js'
import { confirmNode, declareNode, type NodeState, removeNode, type Sighting } from './nodes.js'
import type { ReadLog } from './truth.js'

const eventsPerPage = 10_000

/**
 * The list of nodes and the log of revocations as a replica needs them, wherever they are kept: in
 * Postgres, or behind Keycard's HTTP API. Every function rejects when there is no answer in time.
 */
export interface Registry {
  /** Writes how this node decides from now on. Whoever revokes after that reckons with it. */
  declare: (node: NodeState) => Promise<void>
  /**
   * A sign of life, with what the replica holds by now.
   *
   * @returns undefined where the row is gone, or says something newer
   */
  confirm: (
    node: Pick<NodeState, 'id' | 'epoch'>,
    applied: Horizon | undefined
  ) => Promise<Sighting | undefined>
  readLog: ReadLog
  /** Takes the node off the list: it decides from nothing that it remembers any more. */
  remove: (nodeId: string) => Promise<void>
}

/** The registry for the nodes of another service, by the client that it authenticates as. */
export type ForeignRegistry = (clientId: string) => Registry

/**
 * @param clientId whose nodes these are; null for our own. Nobody touches the row of somebody else
 */
export function createPostgresRegistry(
  database: Database,
  clock: Clock,
  clientId: string | null = null
): Registry {
  return {
    declare: async (node) => await database.write((db) => declareNode(db, { ...node, clientId })),
    confirm: async (node, applied) =>
      await database.write((db) => confirmNode(db, { ...node, clientId }, applied)),
    readLog: async (since, after) =>
      await database.read((db) =>
        readLogPage(db, { since, after, now: new Date(clock()), limit: eventsPerPage })
      ),
    remove: async (nodeId) => await database.write((db) => removeNode(db, nodeId, clientId))
  }
}
