import { type Database, DatabaseUnavailable } from '../database/connection.js'
import { every } from '../every.js'

const lookEveryMs = 500

export interface OutageWatch {
  /** Aborted when Postgres was away for longer than anybody wants to wait. */
  readonly signal: AbortSignal
  readonly stop: () => Promise<void>
}

/** Looks whether Postgres is there, beside work that tries again by itself, and ends its patience. */
export function watchForOutage(
  database: Database,
  { patienceMs, onAway }: { readonly patienceMs: number; readonly onAway: () => void }
): OutageWatch {
  const patience = new AbortController()
  let awaySince: number | undefined
  const looking = every(lookEveryMs, async () => {
    try {
      await database.ping()
      awaySince = undefined
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable)) return
      awaySince ??= performance.now()
      onAway()
      if (performance.now() - awaySince > patienceMs) patience.abort()
    }
  })
  return { signal: patience.signal, stop: () => looking.stop() }
}
