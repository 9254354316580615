import { and, gt, isNull, lt } from 'drizzle-orm'
import type { Config } from '../../config.js'
import type { Database } from '../../database/connection.js'
import { revocations } from '../../database/schema.js'
import { listNodes, type NodeList } from '../../revocation/roster-store.js'
import { duration } from '../times.js'
import { type Check, finder } from './finding.js'

export interface NodesFacts {
  readonly config: Config
  readonly nodes: NodeList['nodes']
  /** Recorded a while ago, and still not in Redis. */
  readonly overdue: number
  readonly isRedisReady: boolean
}

/** Each node gives a sign of life once a second or more often. */
const silentMs = 15_000
/** Whoever records a revocation publishes it in milliseconds, and the others look once a second. */
const overdueMs = 5_000

/** @throws DatabaseUnavailable */
export async function readNodes(
  database: Database,
  config: Config,
  { now, isRedisReady }: { now: number; isRedisReady: boolean }
): Promise<NodesFacts> {
  const { nodes } = await database.read((db) => listNodes(db, new Date(now)))
  const overdue = await database.read((db) =>
    db.$count(
      revocations,
      and(
        isNull(revocations.publishedAt),
        gt(revocations.liveUntil, new Date(now)),
        lt(revocations.createdAt, new Date(now - overdueMs))
      )
    )
  )
  return { config, nodes, overdue, isRedisReady }
}

const silent: Check<NodesFacts> = ({ nodes }) => {
  const quiet = nodes.filter(({ silentForMs }) => silentForMs > silentMs)
  if (quiet.length === 0) return undefined
  const list = quiet.map(({ id, silentForMs }) => `${id} (${duration(silentForMs)})`).join(', ')
  return finder('silent-nodes').warning(
    `Nothing is heard of ${quiet.length} node(s): ${list}. Revocations wait for their leases.`,
    'Where such a process still runs, end it or mend its network; one that was killed is forgotten after 65 minutes.'
  )
}

const leases: Check<NodesFacts> = ({ config, nodes }) => {
  const followers = nodes.filter(({ mode }) => mode === 'replica')
  const found = [...new Set(followers.map(({ leaseMs }) => leaseMs))].sort((a, b) => a - b)
  const configured = config.revocation.leaseMs
  if (found.every((leaseMs) => leaseMs === configured)) return undefined
  return finder('LEASE_MS').warning(
    `Nodes run with leases of ${found.join(', ')} ms, and LEASE_MS is ${configured} here.`,
    'Give every node the same LEASE_MS, and restart those that differ.'
  )
}

/** What tokens and revocations allow for. */
const allowedSkewMs = 30_000
const noticeableSkewMs = 1_000

/**
 * A node's id holds the time by its own clock, and its row, written later, that of Postgres: an id from
 * the future shows a clock that is ahead. How far one is behind can't be told from a slow start.
 */
const clocks: Check<NodesFacts> = ({ nodes }) => {
  const ahead = nodes
    .map(({ id, startedAt }) => ({ id, aheadMs: timeOfId(id) - startedAt.getTime() }))
    .filter(({ aheadMs }) => aheadMs > noticeableSkewMs)
  if (ahead.length === 0) return undefined
  const list = ahead.map(({ id, aheadMs }) => `${id} (${duration(aheadMs)})`).join(', ')
  const { error, warning } = finder('node-clocks')
  const isAllowed = ahead.every(({ aheadMs }) => aheadMs <= allowedSkewMs)
  return (isAllowed ? warning : error)(
    `The clocks of ${ahead.length} node(s) were ahead of Postgres' when they started: ${list}.`,
    'Run NTP on every machine, and keycard doctor on each to see its clock as it is now.'
  )
}

/** RFC 9562 §5.7. */
const timeOfId = (id: string): number => Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)

const modes: Check<NodesFacts> = ({ config, nodes, isRedisReady }) => {
  if (config.revocation.mode !== 'replica') return undefined
  if (config.redis !== undefined && !isRedisReady) return undefined
  const fallen = nodes.filter(({ mode }) => mode === 'database').map(({ id }) => id)
  if (fallen.length === 0) return undefined
  return finder('node-modes').warning(
    `${fallen.length} node(s) ask Postgres for each request: ${fallen.join(', ')}.`,
    'Look into their logs for why they have no replica; it passes by itself after an outage.'
  )
}

const backlog: Check<NodesFacts> = ({ config, overdue }) => {
  if (config.redis === undefined || overdue === 0) return undefined
  return finder('unpublished').error(
    `${overdue} revocation(s) are recorded and not in Redis: their answers could not be success.`,
    'Make sure that Redis runs and that a node which reaches it does.'
  )
}

export const nodesChecks = [silent, leases, clocks, modes, backlog]
