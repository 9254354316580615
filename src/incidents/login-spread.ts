import type { Clock } from '../clock.js'

export type LoginSpread = ReturnType<typeof createLoginSpread>

/**
 * After many were logged out at once: when each of those who come back is asked to. What this node
 * knows of it comes from the sessions whose refresh it refuses, as everybody who comes back tries that
 * first, so that it costs no query.
 */
export function createLoginSpread({
  clock,
  random = Math.random
}: {
  readonly clock: Clock
  /** As Math.random. */
  readonly random?: () => number
}) {
  let untilMs = 0

  function retryAfterSeconds(): number {
    const leftSeconds = Math.ceil((untilMs - clock()) / 1_000)
    return leftSeconds > 0 ? 1 + Math.floor(random() * leftSeconds) : 0
  }

  return {
    /** Learns until when logins are spread. */
    note(until: Date | undefined): void {
      untilMs = Math.max(untilMs, until?.getTime() ?? 0)
    },

    /** Whole seconds, at least 1, uniform over what is left; 0 when nothing is. */
    retryAfterSeconds
  }
}
