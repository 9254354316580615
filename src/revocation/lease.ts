import type { Clock } from '../clock.js'

/** A point in time on two clocks: each of them alone can stand still or be set back. */
export interface Moment {
  readonly monotonicMs: number
  readonly wallMs: number
}

export type Lease = ReturnType<typeof createLease>

/**
 * A right that ends by itself. It is dated by the sending of the message that renewed it, so that it
 * never outlives what the receiver reckons with, and it counts as over as soon as either clock says so.
 */
export function createLease(options: {
  readonly lifeMs: number
  readonly clock: Clock
  readonly monotonic?: Clock
}) {
  const { lifeMs, clock, monotonic = () => performance.now() } = options
  let since: Moment | undefined
  const now = (): Moment => ({ monotonicMs: monotonic(), wallMs: clock() })

  return {
    now,
    renew(sentAt: Moment): void {
      since = sentAt
    },
    /** `at` is the present moment, for whoever has just read the clocks. */
    holds(at?: Moment): boolean {
      if (since === undefined) return false
      const { monotonicMs, wallMs } = at ?? now()
      return monotonicMs - since.monotonicMs < lifeMs && wallMs - since.wallMs < lifeMs
    },
    /** Milliseconds until it is over; negative or -Infinity when it is. */
    leftMs(): number {
      if (since === undefined) return Number.NEGATIVE_INFINITY
      return lifeMs - Math.max(monotonic() - since.monotonicMs, clock() - since.wallMs)
    }
  }
}
