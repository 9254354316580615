import type { Finding } from './data-set-finder.js'
import type { Horizon } from './log-page.js'
import type { RevocationEvent } from './state.js'

/** What a replica follows: the stream in Redis, or Postgres itself. */
export interface Feed {
  /** How long after its last sign of life a node that follows this may still decide, in ms. */
  readonly rowLifeMs: number
  /** Whether what was applied is confirmed in the node's row alone. */
  readonly confirmsInRow: boolean
  /**
   * Finds what can be followed now; `current` is the data set in Redis that counts.
   *
   * @throws what Redis or Postgres threw
   */
  prepare: (current: string | null) => Promise<Preparation>
  /** Follows it from now on: whatever is published later will be read. */
  follow: (dataSet: string | null) => Promise<Subscription>
}

export type Preparation =
  | { readonly kind: 'ready'; readonly dataSet: string | null }
  | Exclude<Finding, { readonly kind: 'whole' }>

export interface Reading {
  readonly events: readonly RevocationEvent[]
  /** False where there is more: then this reading says nothing about how far behind we are. */
  readonly isDrained: boolean
  /** What the replica holds of the log once these events are applied, where the feed knows. */
  readonly horizon?: Horizon
}

/** One life of following. Every function rejects when the feed is lost, and then it stays lost. */
export interface Subscription {
  /**
   * All that came since the last call. What the last call and `arrival` returned has been applied by
   * then, and is confirmed by this one.
   */
  read: (seen: Horizon | undefined) => Promise<Reading>
  /** Done when there may be something to read, or after a short while; with what came, if it knows. */
  arrival: () => Promise<readonly RevocationEvent[]>
  end: () => void
}
