import type { CoveredClaims, Verdict } from './decision.js'
import type { RevocationEvent } from './state.js'

/** How this process decides about tokens, by its mode; one each for replica, redis and database. */
export interface LocalNode {
  /** Decides from what the node has at hand; undefined where that is for Postgres to say. */
  readonly decide: (claims: CoveredClaims) => Verdict | Promise<Verdict | undefined> | undefined
  /** Takes in a revocation that this process has recorded. */
  readonly apply: (event: RevocationEvent) => void
  /** The deny-list that counts did not take a revocation. */
  readonly onUnpublished: () => void
  readonly status: () => NodeStatus
  /** Puts the node on the list, so that writers reckon with it; then it may decide. */
  readonly start: () => Promise<void>
  /** From now on this process decides from Postgres alone, so nobody needs to reckon with it. */
  readonly stop: () => Promise<void>
}

export interface NodeStatus {
  /** What it decides from at the moment. */
  readonly decidesFrom: DecisionSource
  /** How long it may still decide from its replica without another read, in milliseconds. */
  readonly leaseLeftMs: number
  /** How long ago the last read was sent that left nothing behind, in milliseconds. */
  readonly lagMs: number
  /** Live revocations in its memory. */
  readonly live: number
}

export type DecisionSource = 'replica' | 'redis' | 'database'
