import { after } from './after.js'
import { DatabaseUnavailable, translate } from './errors.js'
import { type DatabaseLimits, databaseLimits } from './limits.js'
import { type Link, openLink, serverOf } from './link.js'
import { type Listener, openListener } from './listener.js'
import { createPool } from './pool.js'
import type { Queries } from './queries.js'
import { createWatch, type DatabaseLog } from './watch.js'

export { DatabaseUnavailable, isUniqueViolation } from './errors.js'
export { prepared, type Queries } from './queries.js'

/**
 * Postgres for one process. A call is answered or refused within `deadlineMs`, and at once while the
 * server is known to be away.
 *
 * Every call throws DatabaseUnavailable when the server did not answer in time, QueryFailed when it
 * answered with an error, and whatever its function throws.
 */
export interface Database {
  /** For what may run twice without harm: a connection that was lost is replaced, once. */
  read: <T>(query: (db: Queries) => Promise<T>) => Promise<T>
  /** For a single statement that changes something. Never repeated. */
  write: <T>(query: (db: Queries) => Promise<T>) => Promise<T>
  /**
   * For several statements that take effect together. Never repeated; rolled back when `work` throws,
   * and when the deadline passes before the commit was sent.
   */
  transaction: <T>(work: (tx: Queries) => Promise<T>) => Promise<T>
  /** Opens a connection of its own that hears what is notified on `channel`, an identifier. */
  listen: (channel: string) => Promise<Listener>
  /** Done when the server has answered. */
  ping: () => Promise<void>
  /** Done when every connection is closed, also with a server that doesn't answer. */
  close: () => Promise<void>
}

export interface DatabaseOptions {
  readonly log?: DatabaseLog
  readonly limits?: Partial<DatabaseLimits>
}

/** Connects at the first call, so this never fails for a server that is away. */
export function connectDatabase(url: string, options: DatabaseOptions = {}): Database {
  const limits = { ...databaseLimits, ...options.limits }
  const open = linkOpener(url, limits)
  let probing: Link | undefined
  const watch = createWatch({
    probe() {
      probing = open()
      return ask(probing, limits.probeMs)
    },
    probeEveryMs: limits.probeEveryMs,
    onAway: (error) => pool.drop(error),
    log: options.log
  })
  const pool = createPool({ open, limits, onSlow: watch.suspect })

  async function call<T>(
    work: (link: Link) => Promise<T>,
    withinMs: number = limits.deadlineMs
  ): Promise<T> {
    const away = watch.away()
    if (away !== undefined) throw new DatabaseUnavailable('away', { cause: away.cause })
    try {
      const result = await pool.run(work, withinMs)
      watch.heard()
      return result
    } catch (error) {
      const failure = translate(error)
      if (isLoss(failure)) {
        pool.renew()
        watch.suspect()
      }
      throw failure
    }
  }

  async function read<T>(query: (db: Queries) => Promise<T>): Promise<T> {
    const start = performance.now()
    const work = (link: Link) => query(link.db)
    try {
      return await call(work)
    } catch (error) {
      if (!isLoss(error)) throw error
      return await call(work, limits.deadlineMs - (performance.now() - start))
    }
  }

  return {
    read,
    write: (query) => call((link) => query(link.db)),
    transaction: (work) => call((link) => link.transaction(() => work(link.db))),
    listen: (channel) => openListener(channel, (onNotify) => open(onNotify), limits.deadlineMs),
    async ping() {
      await read((db) => db.execute('select 1'))
    },
    async close() {
      watch.stop()
      await Promise.all([probing?.end(), pool.close()])
    }
  }
}

function linkOpener(url: string, limits: DatabaseLimits): (onNotify?: () => void) => Link {
  const target = {
    url,
    ...serverOf(url),
    connectMs: limits.connectMs,
    settings: {
      statement_timeout: limits.statementMs,
      lock_timeout: limits.lockMs,
      idle_in_transaction_session_timeout: limits.statementMs
    }
  }
  return (onNotify) => openLink(onNotify === undefined ? target : { ...target, onNotify })
}

/** Asks whether the server is there. Any answer says so, also that it has no room for us. */
async function ask(link: Link, withinMs: number): Promise<void> {
  const calm = after(withinMs, () => link.destroy())
  try {
    await link.command('select 1')
  } catch (error) {
    const failure = translate(error)
    if (failure instanceof DatabaseUnavailable && failure.reason !== 'refused') throw failure.cause
  } finally {
    calm()
    await link.end()
  }
}

function isLoss(error: unknown): boolean {
  return error instanceof DatabaseUnavailable && error.reason === 'lost'
}
