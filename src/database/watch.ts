import { after } from './after.js'
import { codeOf, DatabaseUnavailable } from './errors.js'

/** The part of a logger that the connection to Postgres needs. */
export interface DatabaseLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** Knows whether the server is there. */
export interface Watch {
  /** Why not; undefined while it is there, as far as is known. */
  away: () => DatabaseUnavailable | undefined
  /** Something looks as if it were away: asks it. */
  suspect: () => void
  /** It answered a call. */
  heard: () => void
  stop: () => void
}

export interface WatchOptions {
  /** Asks the server once. @throws when there is no answer */
  readonly probe: () => Promise<void>
  readonly probeEveryMs: number
  readonly onAway: (error: DatabaseUnavailable) => void
  readonly log: DatabaseLog | undefined
}

/**
 * Watches only when there is reason to: a server that answers costs no question. One that answers
 * calls but not the question is slow, not away.
 */
export function createWatch({ probe, probeEveryMs, onAway, log }: WatchOptions): Watch {
  let away: DatabaseUnavailable | undefined
  let isAsking = false
  let wasHeard = false
  let isStopped = false
  let calm = () => {}

  async function ask(): Promise<void> {
    isAsking = true
    wasHeard = false
    const cause = await probe().then(
      () => undefined,
      (error: unknown) => error
    )
    isAsking = false
    if (isStopped || (away === undefined && wasHeard)) return
    if (cause === undefined) greet()
    else {
      miss(cause)
      calm = after(probeEveryMs, () => {
        void ask()
      })
    }
  }

  function miss(cause: unknown): void {
    if (away !== undefined) return
    away = new DatabaseUnavailable('away', { cause })
    log?.warn({ code: codeOf(cause) }, 'The database is away')
    onAway(away)
  }

  function greet(): void {
    if (away === undefined) return
    away = undefined
    log?.info({}, 'The database is back')
  }

  return {
    away: () => away,
    suspect() {
      if (!isAsking && away === undefined && !isStopped) void ask()
    },
    heard() {
      wasHeard = true
    },
    stop() {
      isStopped = true
      calm()
    }
  }
}
