import type { Clock } from '../clock.js'
import type { Database } from '../database/connection.js'
import { publishBacklog } from './backlog.js'
import { adoptDataSet, currentDataSet, declareDataSet, leaveDataSet } from './data-set.js'
import type { DenyList } from './deny-list.js'
import type { Lease, Moment } from './lease.js'
import { type NodeIdentity, renewNode } from './nodes.js'
import { readTruth } from './truth.js'

export type Recovery =
  /** The node may decide from this data set, under a lease that runs since then. */
  | { readonly kind: 'usable'; readonly dataSet: string; readonly since: Moment }
  /** Another node is faster, or something changed meanwhile: look again. */
  | { readonly kind: 'again' }
  | { readonly kind: 'unfit'; readonly reason: string }

export interface RecoveryOptions {
  readonly denyList: DenyList
  readonly database: Database
  readonly node: NodeIdentity
  readonly lease: Lease
  readonly clock: Clock
  /** Called when this node has filled the deny-list. */
  readonly onFilled: () => void
}

/** How long a server that differs from the one in use must be all there is, until it is used. */
const patienceMs = 5_000

const again: Recovery = { kind: 'again' }
const unfit = (reason: string): Recovery => ({ kind: 'unfit', reason })

/**
 * One attempt to make the deny-list one that this node may decide from. It must not decide from any
 * while that is under way.
 *
 * @throws what Redis or Postgres threw
 */
export function createRecovery(options: RecoveryOptions) {
  const { denyList, database, node, lease, clock, onFilled } = options
  let differsSince: number | undefined

  /** The data set that counts. If it isn't the one that this node has stopped using, that is said. */
  async function current(): Promise<string | null> {
    const renewal = await database.write((db) => renewNode(db, node))
    const { own, current } = renewal
    if (own !== null && own !== current) {
      await database.write((db) => leaveDataSet(db, node.id, own))
    }
    return current
  }

  /** Whether the server is to be taken as the one that counts, which it is not. */
  function isAlone(differs: boolean): boolean {
    if (!differs) {
      differsSince = undefined
      return true
    }
    if (differsSince === undefined) {
      differsSince = performance.now()
      denyList.reconnect()
    }
    return performance.now() - differsSince > patienceMs
  }

  async function fill(replacing: string | undefined): Promise<string | undefined> {
    const dataSet = await denyList.fill({
      replacing,
      declare: async (name) => await database.write((db) => declareDataSet(db, name)),
      load: () => readTruth(database, new Date(clock()))
    })
    if (dataSet !== undefined) onFilled()
    return dataSet
  }

  /**
   * Each step covers what the one before it left open: whoever revokes after the row was written
   * reckons with this node, what was recorded before it is published now, and if the data set
   * counts after all that, it counted all the time.
   */
  async function adopt(dataSet: string): Promise<Recovery> {
    const since = lease.now()
    if (!(await database.write((db) => adoptDataSet(db, node.id, dataSet)))) return again
    await publishBacklog({ database, denyList, clock, skipLocked: false })
    if ((await database.read(currentDataSet)) !== dataSet) return again
    return { kind: 'usable', dataSet, since }
  }

  return async function recover(): Promise<Recovery> {
    // First, as Redis may be out of reach: whoever revokes waits for us until our row is right.
    const wanted = await current()
    const { isPrimary, evicts, dataSet: found } = await denyList.inspect()
    if (!isPrimary) return unfit('Redis is a read-only replica')
    if (evicts) return unfit('Redis may evict keys: set maxmemory-policy noeviction')
    const differs = found !== undefined && wanted !== null && found !== wanted
    if (!isAlone(differs)) return unfit('Redis is not the one that other nodes use')
    const dataSet = found !== undefined && found === wanted ? found : await fill(found)
    return dataSet === undefined ? again : await adopt(dataSet)
  }
}
