import { connect, type Socket } from 'node:net'
import { DrizzleQueryError } from 'drizzle-orm'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { after } from './after.js'
import { DatabaseUnavailable } from './errors.js'

/** Where a link leads and what Postgres is told on it. */
export interface Target {
  readonly url: string
  readonly host: string
  readonly port: number
  readonly connectMs: number
  /** Postgres's own settings for the session, by name. */
  readonly settings: Readonly<Record<string, string | number>>
  /** Called for every notification on a channel that this link listens to. */
  readonly onNotify?: () => void
}

/** One connection to Postgres, for one call at a time. It connects at its first statement. */
export interface Link {
  readonly db: PostgresJsDatabase
  /** Milliseconds of `performance.now()`. */
  readonly openedAt: number
  /** False once the connection has ended, for whatever reason: it never comes back. */
  isUsable: () => boolean
  /** Sends a statement without parameters, shut or not. @returns its command tag */
  command: (statement: string) => Promise<string>
  /** Commits what `work` did, or rolls it back when `work` throws or the link was shut meanwhile. */
  transaction: <T>(work: () => Promise<T>) => Promise<T>
  /** Lets no further statement of `db` through until `reopen`. */
  shut: () => void
  reopen: () => void
  /** Says goodbye. Done when the connection is gone, also with a server that doesn't answer. */
  end: () => Promise<void>
  /** Cuts the connection. What is on its way fails at once. */
  destroy: () => void
}

const goodbyeMs = 250

/**
 * postgres.js 3.4.9 is used as a client of one connection that is thrown away with it, because a
 * client that lost its connection keeps parts of it: the next statement is answered with the old
 * error, and the `rollback` of its own `begin` is written to a socket that isn't there, which ends
 * the process. `fetch_types` is off as well: its query, when it fails, is an unhandled rejection.
 */
export function openLink(target: Target): Link {
  let socket: Socket | undefined
  let isBroken = false
  let isShut = false
  let isGone = false

  /** Ours, so that it can be cut; and once, so that nothing is ever sent on a second connection. */
  function connectOnce({ path }: { path: string | false }): Socket {
    if (socket !== undefined || isBroken) throw new DatabaseUnavailable('lost')
    const { host, port } = target
    socket = connect(typeof path === 'string' ? { path } : { host, port, noDelay: true })
    socket.once('close', () => {
      isGone = true
    })
    // postgres.js reads it to check the server's certificate.
    return Object.assign(socket, { host })
  }

  const options = {
    max: 1,
    host: target.host,
    port: target.port,
    fetch_types: false,
    no_subscribe: true,
    connect_timeout: target.connectMs / 1000,
    idle_timeout: undefined,
    max_lifetime: null,
    keep_alive: 10,
    connection: { application_name: 'keycard', ...target.settings },
    onnotice: () => undefined,
    onnotify: target.onNotify,
    onclose: destroy,
    socket: connectOnce
  }
  const sql = postgres(target.url, options)

  const client = new Proxy(sql, {
    get: (of, name): unknown => {
      if (name === 'unsafe') return guardedUnsafe
      if (name === 'begin')
        return (work: (tx: typeof sql) => Promise<unknown>) => link.transaction(() => work(client))
      return Reflect.get(of, name)
    }
  })

  /**
   * Prepared under a name, so that from the second time on a statement is one round trip, and planned
   * once: without a name, postgres.js asks for the types of the parameters first. The texts are few.
   */
  function guardedUnsafe(...[text, parameters, options]: Parameters<typeof sql.unsafe>) {
    assertOpen()
    return sql.unsafe(text, parameters, { ...options, prepare: true })
  }

  function assertOpen(): void {
    assertUsable()
    if (isShut) throw new DatabaseUnavailable('late')
  }

  // What would be sent on a client without its connection would wait for ever.
  function assertUsable(): void {
    if (isBroken) throw new DatabaseUnavailable('lost')
  }

  function destroy(): void {
    isBroken = true
    socket?.destroy()
    void sql.end({ timeout: 0 })
  }

  const link: Link = {
    db: drizzle(client),
    openedAt: performance.now(),
    isUsable: () => !isBroken,
    async command(statement) {
      try {
        assertUsable()
        return (await sql.unsafe(statement)).command
      } catch (error) {
        throw new DrizzleQueryError(statement, [], error instanceof Error ? error : undefined)
      }
    },
    transaction: (work) => inTransaction(link, assertOpen, work),
    shut() {
      isShut = true
    },
    reopen() {
      isShut = false
    },
    async end() {
      isBroken = true
      await sql.end({ timeout: 0 })
      if (socket !== undefined && !isGone) await gone(socket)
    },
    destroy
  }
  return link
}

async function inTransaction<T>(
  link: Link,
  assertOpen: () => void,
  work: () => Promise<T>
): Promise<T> {
  await link.command('begin')
  let result: T
  try {
    result = await work()
    assertOpen()
  } catch (error) {
    // A transaction that can't be ended ends with its connection.
    await link.command('rollback').catch(() => link.destroy())
    throw error
  }
  // Postgres answers the commit of a failed transaction with ROLLBACK, and no error.
  if ((await link.command('commit')) !== 'COMMIT') {
    throw new Error('A transaction went on after one of its statements had failed')
  }
  return result
}

/** Done when `socket` is closed: by the server that was told goodbye, or else by us. */
function gone(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const calm = after(goodbyeMs, () => {
      socket.destroy()
      after(0, resolve)
    })
    socket.once('close', () => {
      calm()
      resolve()
    })
  })
}

/**
 * The one server that `url` leads to, as postgres.js understands it.
 * @throws without repeating the url
 */
export function serverOf(url: string): { host: string; port: number } {
  const { host, port } = parse(url)
  const [onlyHost = 'localhost', another] = host
  if (another !== undefined) throw new Error('The database URL names more than one server')
  return { host: onlyHost, port: port[0] ?? 5432 }
}

function parse(url: string): { host: string[]; port: number[] } {
  try {
    return postgres(url, { max: 0 }).options
  } catch {
    throw new Error('The database URL is not one that Postgres clients understand')
  }
}
