import type { Clock } from '../clock.js'
import type { Database } from '../database/connection.js'
import type { DenyList, Followers } from './deny-list.js'
import type { NodeStatus } from './local-node.js'
import { type NodeMode, postgresFollowerLifeMs, redisLeaseMs } from './nodes.js'
import { type ListedNode, listNodes, type NodeList } from './roster-store.js'
import { reaches } from './stream-place.js'

/** A node as others see it. Times in milliseconds. */
export interface RosterNode {
  readonly id: string
  readonly startedAt: Date
  /** What its row says it decides from. */
  readonly mode: NodeMode
  /**
   * How long ago it was last known to keep up: to have read the stream or, where it follows Postgres,
   * to have given a sign of life. 0 where it asks for each token; null where that is not known.
   */
  readonly lagMs: number | null
  /** It is known to refuse all that was revoked until now. */
  readonly applied: boolean
  /**
   * For at most how long it may go on to decide from what it has if nothing more is heard of it. Null
   * where that is not known, and where it asks Postgres for each token.
   */
  readonly leaseMsLeft: number | null
}

export interface Roster {
  readonly nodes: readonly RosterNode[]
  readonly generation: number
}

export interface RosterOptions {
  readonly database: Database
  readonly denyList: Pick<DenyList, 'followers'> | undefined
  /** The node that looks, which knows better about itself. */
  readonly own: { readonly id: string; readonly status: () => NodeStatus }
  readonly clock: Clock
}

type Standing = Pick<RosterNode, 'lagMs' | 'applied' | 'leaseMsLeft'>

/**
 * Who decides about tokens, and how well each keeps up. For people: whether a revocation may be
 * answered is decided elsewhere, with clocks that can be trusted.
 */
export function createRoster({ database, denyList, own, clock }: RosterOptions) {
  function standingOf(node: ListedNode, list: NodeList, followers: Followers | undefined) {
    switch (node.mode) {
      case 'database':
        return { lagMs: 0, applied: true, leaseMsLeft: null }
      case 'redis':
        return standingOfReader(node, list)
      case 'replica': {
        const standing =
          node.dataSet === null
            ? standingOfPostgresFollower(node)
            : standingOfRedisFollower(node, list, followers)
        if (node.id !== own.id) return standing
        const { lagMs, leaseLeftMs } = own.status()
        return { ...standing, lagMs: Math.round(lagMs), leaseMsLeft: Math.round(leaseLeftMs) }
      }
    }
  }

  /** @throws DatabaseUnavailable */
  return async function readRoster(): Promise<Roster> {
    const list = await database.read((db) => listNodes(db, new Date(clock())))
    // In this order: what was published by then is in the stream by now.
    const followers = await denyList?.followers().catch(() => undefined)
    return {
      generation: list.generation,
      nodes: list.nodes.map((node) => ({
        id: node.id,
        startedAt: node.startedAt,
        mode: node.mode,
        ...standingOf(node, list, followers)
      }))
    }
  }
}

function standingOfReader(node: ListedNode, list: NodeList): Standing {
  const readsCurrent = node.dataSet === null || node.dataSet === list.currentDataSet
  return {
    lagMs: 0,
    applied: readsCurrent && !list.hasUnpublished,
    leaseMsLeft: Math.max(0, redisLeaseMs - node.silentForMs)
  }
}

function standingOfPostgresFollower({ silentForMs, saysItHasAll }: ListedNode): Standing {
  return {
    lagMs: Math.max(0, silentForMs),
    applied: saysItHasAll,
    leaseMsLeft: Math.max(0, postgresFollowerLifeMs - silentForMs)
  }
}

function standingOfRedisFollower(
  { id, dataSet, leaseMs, saysItHasAll }: ListedNode,
  { currentDataSet, hasUnpublished }: NodeList,
  followers: Followers | undefined
): Standing {
  if (followers === undefined || dataSet !== currentDataSet || dataSet !== followers.dataSet) {
    return { lagMs: null, applied: saysItHasAll, leaseMsLeft: null }
  }
  const follower = followers.byNode.get(id)
  if (follower === undefined) return { lagMs: null, applied: saysItHasAll, leaseMsLeft: 0 }
  const { place, readAgoMs } = follower
  const holdsAllThereIs = !hasUnpublished && reaches(place, followers.end)
  return {
    lagMs: readAgoMs === undefined ? null : Math.max(0, readAgoMs),
    applied: saysItHasAll || holdsAllThereIs,
    leaseMsLeft: readAgoMs === undefined ? null : Math.max(0, leaseMs - Math.max(0, readAgoMs))
  }
}
