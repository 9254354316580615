import { setTimeout as sleep } from 'node:timers/promises'
import { type ServerAddress, connectToServer, sqlState } from './connection.js'

/**
 * The right to a data directory: a session lock in the server that runs on it. It ends with the
 * connection, so a killed service holds nothing and a living one can't be mistaken for a dead one.
 */
export interface Ownership {
  /** Resolves when the lock is gone, because of `release` or of the server. */
  lost: Promise<void>
  /** Whether somebody waits for the lock within `watchMs`. */
  isContested: (watchMs: number) => Promise<boolean>
  release: () => Promise<void>
}

const lockKey = 1_801_812_323
const lockNotAvailable = '55P03'
const pollMs = 50

/**
 * Waits for the lock at most `waitMs`; undefined where another process keeps it. Long enough a wait
 * also outlasts the end of a killed process's connection.
 * @throws what the connection fails with.
 */
export async function takeOwnership(
  address: ServerAddress,
  waitMs: number
): Promise<Ownership | undefined> {
  let onClose = () => {}
  const lost = new Promise<void>((resolve) => {
    onClose = resolve
  })
  const sql = connectToServer(address, { lockTimeoutMs: waitMs, onClose })
  try {
    await sql`select pg_advisory_lock(${lockKey})`
  } catch (error) {
    await sql.end({ timeout: 0 })
    if (sqlState(error) === lockNotAvailable) return undefined
    throw error
  }
  return {
    lost,
    isContested: async (watchMs) => {
      for (let waitedMs = 0; waitedMs < watchMs; waitedMs += pollMs) {
        const rivals = await sql`
          select 1 from pg_locks where locktype = 'advisory' and objid = ${lockKey} and not granted`
        if (rivals.length > 0) return true
        await sleep(pollMs)
      }
      return false
    },
    release: () => sql.end({ timeout: 1 })
  }
}
