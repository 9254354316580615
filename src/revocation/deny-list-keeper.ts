import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../clock.js'
import type { Database } from '../database/connection.js'
import type { FindDataSet } from './data-set-finder.js'
import type { DenyList } from './deny-list.js'
import { createRecovery } from './deny-list-recovery.js'
import { createLease } from './lease.js'
import type { Log } from './log.js'
import { type NodeIdentity, redisLeaseMs, renewNode } from './nodes.js'

const retryMs = 200

export type DenyListKeeper = ReturnType<typeof createDenyListKeeper>

/**
 * Knows from which data set this node may decide at the moment, and brings the deny-list back when
 * there is none: as soon as Redis answers again, its data set is checked and, where it is not the
 * one that counts, filled anew from Postgres.
 */
export function createDenyListKeeper(options: {
  denyList: DenyList
  findDataSet: FindDataSet
  database: Database
  node: NodeIdentity
  clock: Clock
  log: Log
}) {
  const { database, node, clock, log } = options
  const lease = createLease({ lifeMs: redisLeaseMs, clock })
  const attempt = createRecovery({ ...options, lease })
  const stopping = new AbortController()
  let dataSet: string | undefined
  let recovering: Promise<void> | undefined
  let complaint: string | undefined

  function complain(reason: string): void {
    if (complaint !== reason) {
      log.warn({ event: 'deny_list.away', reason }, `${reason}: deciding from Postgres`)
    }
    complaint = reason
  }

  /** @returns true when the node decides from the deny-list. */
  async function tryToRecover(): Promise<boolean> {
    try {
      const recovery = await attempt()
      if (recovery.kind === 'unfit') complain(recovery.reason)
      if (recovery.kind !== 'usable' || stopping.signal.aborted) return false
      lease.renew(recovery.since)
      dataSet = recovery.dataSet
      complaint = undefined
      log.info({ event: 'deny_list.usable' }, 'Deciding from the deny-list in Redis')
      return true
    } catch (error) {
      complain(`Redis or Postgres is away (${error instanceof Error ? error.name : 'unknown'})`)
      return false
    }
  }

  async function recoverUntilDone(): Promise<void> {
    while (!stopping.signal.aborted && !(await tryToRecover())) {
      await pause(retryMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }

  /** Stops deciding from the deny-list, and starts bringing it back unless that is under way. */
  function recover(): void {
    dataSet = undefined
    recovering ??= recoverUntilDone().finally(() => {
      recovering = undefined
    })
  }

  return {
    recover,

    /** The data set to decide from; undefined while that is for Postgres to say. */
    dataSet(): string | undefined {
      if (dataSet !== undefined && !lease.holds()) recover()
      return dataSet
    },

    /** Writes this node's sign of life and finds out whether its data set still counts. */
    async renew(): Promise<void> {
      const used = dataSet
      const sentAt = lease.now()
      const { own, current } = await database.write((db) => renewNode(db, node))
      if (used === undefined || dataSet !== used) return
      if (own === used && current === used && lease.holds()) lease.renew(sentAt)
      else recover()
    },

    /** One attempt at start, so that a healthy Redis is in use from the first request on. */
    async start(): Promise<void> {
      if (!(await tryToRecover())) recover()
    },

    async stop(): Promise<void> {
      stopping.abort()
      dataSet = undefined
      await recovering
    }
  }
}
