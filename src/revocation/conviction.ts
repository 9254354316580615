import { isWithin } from './horizon.js'
import type { StandingNode } from './standing.js'
import { reaches, type StreamPlace } from './stream-place.js'

/**
 * What is known of a node: it has applied the revocation or reads the deny-list that holds it, its
 * lease is over, or it asks Postgres for every request.
 */
export type Conviction = 'applied' | 'lease-expired' | 'database'

/** Clocks run alike enough, and timers are late by little enough, for this. */
export const leaseMarginMs = 50

/** What is known of revocations that are announced together. Times in milliseconds, on the clock of whoever asks. */
export interface Evidence {
  /** The node that asks: it has applied the revocation itself. */
  readonly ownId: string
  /** The transactions that recorded them. */
  readonly xids: readonly string[]
  /** At least so long ago they were committed. */
  readonly committedForMs: number
  readonly currentDataSet: string | null
  /** At least so long that data set has been the one that counts. */
  readonly currentForMs: number
  /**
   * Set once the data set that counts holds them; with the place of the last one, unless it was not us
   * who published.
   */
  readonly published:
    { readonly place: StreamPlace | undefined; readonly forMs: number } | undefined
  /** How long Redis may have two primaries. */
  readonly failoverFenceMs: number
  /**
   * A follower of the data set that counts, as it was after the publication; undefined where that is
   * not known.
   */
  readonly follower: (nodeId: string) => FollowerEvidence | 'never read' | undefined
}

export interface FollowerEvidence {
  /** How far it has applied the stream. */
  readonly place: StreamPlace
  /** For so long it was not seen reading. */
  readonly silentForMs: number
}

/** Why a node can't accept any more what was revoked; undefined where that is not known. */
export function convictionOf(node: StandingNode, evidence: Evidence): Conviction | undefined {
  switch (node.mode) {
    case 'database':
      return 'database'
    case 'redis':
      return convictionOfReader(node, evidence)
    case 'replica':
      if (node.id === evidence.ownId) return 'applied'
      if (hasApplied(node, evidence)) return 'applied'
      return node.dataSet === null
        ? convictionOfPostgresFollower(node, evidence)
        : convictionOfRedisFollower(node, evidence)
  }
}

function hasApplied({ applied }: StandingNode, { xids }: Evidence): boolean {
  return applied !== null && xids.every((xid) => isWithin(xid, applied))
}

/**
 * It decides from the data set that counts, or not for longer than its lease; whatever it begins
 * with later it first completes.
 */
function convictionOfReader(
  node: StandingNode,
  { published, currentDataSet }: Evidence
): Conviction | undefined {
  const readsCurrent = node.dataSet === null || node.dataSet === currentDataSet
  if (published !== undefined && readsCurrent) return 'applied'
  return node.isLapsed ? 'lease-expired' : undefined
}

/** A look at the log that missed the revocation was sent before its commit. */
function convictionOfPostgresFollower(
  node: StandingNode,
  { committedForMs }: Evidence
): Conviction | undefined {
  const isOver = committedForMs >= node.leaseMs + leaseMarginMs
  return isOver || node.isLapsed ? 'lease-expired' : undefined
}

/**
 * A read of the stream that missed the revocation was sent before its publication. So was every read
 * of a node that has not read since, and when it was seen not to for as long as its lease, that
 * lease was over already. One that never read it has no lease. One that follows another data set has
 * lost it when this one was made, unless it reads from a deposed primary.
 */
function convictionOfRedisFollower(
  node: StandingNode,
  { published, currentDataSet, currentForMs, failoverFenceMs, follower }: Evidence
): Conviction | undefined {
  if (published === undefined) return undefined
  const lapseMs = node.leaseMs + leaseMarginMs
  if (node.dataSet !== currentDataSet) {
    const forMs = Math.max(published.forMs, currentForMs)
    return forMs >= lapseMs + failoverFenceMs ? 'lease-expired' : undefined
  }
  const seen = follower(node.id)
  if (seen === 'never read') return 'lease-expired'
  if (seen !== undefined && published.place !== undefined && reaches(seen.place, published.place)) {
    return 'applied'
  }
  const silentForMs = Math.max(published.forMs, seen?.silentForMs ?? 0)
  return silentForMs >= lapseMs ? 'lease-expired' : undefined
}

/** Undefined where one of them is. */
export function weakestOf(
  convictions: readonly (Conviction | undefined)[]
): Conviction | undefined {
  if (convictions.includes(undefined)) return undefined
  if (convictions.includes('lease-expired')) return 'lease-expired'
  return convictions.includes('applied') ? 'applied' : 'database'
}
