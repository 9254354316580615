import { setTimeout as pause } from 'node:timers/promises'

const hardLimitMs = 15_000
const stopSignals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

export interface GracefulStop {
  readonly isStopping: () => boolean
}

/**
 * Stops the process at the first signal: readiness flips, `delayMs` later (time for load balancers
 * to see it) `close` runs, in which requests in flight finish, and the exit code is 0. After 15
 * seconds, or at a second signal, it is ended at once with exit code 1.
 *
 * @param ignored signals that mean something else to this process
 */
export function stopGracefully(options: {
  readonly delayMs: number
  readonly close: () => Promise<void>
  readonly ignored: readonly NodeJS.Signals[]
}): GracefulStop {
  let stopping = false

  async function stop(): Promise<void> {
    if (stopping) process.exit(1)
    stopping = true
    setTimeout(() => process.exit(1), hardLimitMs).unref()
    await pause(options.delayMs)
    try {
      await options.close()
      process.exit(0)
    } catch (error) {
      process.stderr.write(`Keycard did not stop cleanly: ${String(error)}\n`)
      process.exit(1)
    }
  }

  for (const signal of stopSignals) {
    if (options.ignored.includes(signal)) continue
    process.on(signal, () => {
      void stop()
    })
  }
  return { isStopping: () => stopping }
}
