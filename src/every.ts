import { setTimeout as pause } from 'node:timers/promises'

/**
 * Repeats background work until it is stopped, one run after the other. A failed run is left to
 * the next one: all of this work is idempotent, and its dependencies report their own outages.
 */
export function every(intervalMs: number, work: () => Promise<unknown>): { stop(): Promise<void> } {
  const stopping = new AbortController()

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await pause(intervalMs, undefined, { signal: stopping.signal }).catch(() => undefined)
      if (!stopping.signal.aborted) await work().catch(() => undefined)
    }
  }

  const running = run()
  return {
    async stop() {
      stopping.abort()
      await running
    }
  }
}
