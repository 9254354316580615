import type { Clock } from '../../src/clock.js'

/** A clock that stands still until it is moved. */
export interface ManualClock {
  readonly clock: Clock
  readonly advanceMs: (ms: number) => void
  readonly advanceSeconds: (seconds: number) => void
}

/** Starts at 2026-01-01T00:00:00Z. */
export function createManualClock(): ManualClock {
  let nowMs = 1_767_225_600_000
  const advanceMs = (ms: number) => {
    nowMs += ms
  }
  return {
    clock: () => nowMs,
    advanceMs,
    advanceSeconds: (seconds) => advanceMs(seconds * 1_000)
  }
}
