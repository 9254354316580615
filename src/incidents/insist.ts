import { setTimeout as pause } from 'node:timers/promises'
import { DatabaseUnavailable } from '../database/connection.js'
import { RevocationUnconfirmed } from '../revocation/announcer.js'

const retryMs = 250

/** Whether the same step may succeed later: something is away for now. */
export function isTemporary(error: unknown): boolean {
  return error instanceof DatabaseUnavailable || error instanceof RevocationUnconfirmed
}

/**
 * Tries a step that can be repeated until it succeeds.
 * @throws what it threw last, when that is not temporary or the signal is aborted
 */
export async function insist<T>(signal: AbortSignal, attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!isTemporary(error) || signal.aborted) throw error
      await pause(retryMs, undefined, { signal }).catch(() => {
        throw error
      })
    }
  }
}
