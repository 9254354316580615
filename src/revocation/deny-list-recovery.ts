import type { Clock } from '../clock.js'
import type { Database } from '../database/connection.js'
import { publishBacklog } from './backlog.js'
import { adoptDataSet, currentDataSet, leaveDataSet } from './data-set.js'
import type { FindDataSet, Finding } from './data-set-finder.js'
import type { DenyList } from './deny-list.js'
import type { Lease, Moment } from './lease.js'
import { type NodeIdentity, renewNode } from './nodes.js'

export type Recovery =
  /** The node may decide from this data set, under a lease that runs since then. */
  | { readonly kind: 'usable'; readonly dataSet: string; readonly since: Moment }
  | Exclude<Finding, { readonly kind: 'whole' }>

export interface RecoveryOptions {
  readonly denyList: DenyList
  readonly findDataSet: FindDataSet
  readonly database: Database
  readonly node: NodeIdentity
  readonly lease: Lease
  readonly clock: Clock
}

const again: Recovery = { kind: 'again' }

/**
 * One attempt to make the deny-list one that this node may decide from, reading it for every request.
 * It must not decide from any while that is under way.
 *
 * @throws what Redis or Postgres threw
 */
export function createRecovery(options: RecoveryOptions) {
  const { denyList, findDataSet, database, node, lease, clock } = options

  /** The data set that counts. If it isn't the one that this node has stopped using, that is said. */
  async function current(): Promise<string | null> {
    const renewal = await database.write((db) => renewNode(db, node))
    const { own, current } = renewal
    if (own !== null && own !== current) {
      await database.write((db) => leaveDataSet(db, node.id, own))
    }
    return current
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
    const finding = await findDataSet(wanted)
    return finding.kind === 'whole' ? await adopt(finding.dataSet) : finding
  }
}
