import type { Database } from '../database/connection.js'
import { declareDataSet } from './data-set.js'
import type { DenyList } from './deny-list.js'
import type { Log } from './log.js'
import { readNews, type ReadLog } from './truth.js'

export type Finding =
  | { readonly kind: 'whole'; readonly dataSet: string }
  /** Another node is faster, or something changed meanwhile: look again. */
  | { readonly kind: 'again' }
  | { readonly kind: 'unfit'; readonly reason: string }

/** How long a server that differs from the one in use must be all there is, until it is used. */
const patienceMs = 5_000

const again: Finding = { kind: 'again' }
const unfit = (reason: string): Finding => ({ kind: 'unfit', reason })

export type FindDataSet = (wanted: string | null) => Promise<Finding>

/**
 * Looks for a whole data set in Redis that counts, and makes one where there is none: fills it from
 * Postgres and declares it. `wanted` is the one that counts now.
 *
 * @throws what Redis or Postgres threw
 */
export function createDataSetFinder(options: {
  readonly denyList: DenyList
  readonly database: Database
  readonly readLog: ReadLog
  readonly log: Log
}): FindDataSet {
  const { denyList, database, readLog, log } = options
  let differsSince: number | undefined

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

  async function* load() {
    for await (const { events } of readNews(readLog)) yield events
  }

  async function fill(replacing: string | undefined): Promise<Finding> {
    const dataSet = await denyList.fill({
      replacing,
      declare: async (name) => await database.write((db) => declareDataSet(db, name)),
      load
    })
    if (dataSet === undefined) return again
    log.info({ event: 'deny_list.rebuilt' }, 'The deny-list was filled from Postgres')
    return { kind: 'whole', dataSet }
  }

  return async function find(wanted) {
    const { isPrimary, evicts, dataSet: found } = await denyList.inspect()
    if (!isPrimary) return unfit('Redis is a read-only replica')
    if (evicts) return unfit('Redis may evict keys: set maxmemory-policy noeviction')
    const differs = found !== undefined && wanted !== null && found !== wanted
    if (!isAlone(differs)) return unfit('Redis is not the one that other nodes use')
    return found !== undefined && found === wanted
      ? { kind: 'whole', dataSet: found }
      : await fill(found)
  }
}
