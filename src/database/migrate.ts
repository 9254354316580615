import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import { migrate as migrateWithDrizzle } from 'drizzle-orm/postgres-js/migrator'
import { after } from './after.js'
import { codeOf, DatabaseUnavailable, translate } from './errors.js'
import { type Link, openLink, serverOf, type Target } from './link.js'
import { migrationsFolder, migrationState } from './migrations.js'

/** The schema could not be brought up to date. The message says why, without credentials. */
export class MigrationError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'MigrationError'
  }
}

export interface MigrationOptions {
  /** How long a Postgres that is still starting is waited for. */
  readonly startMs?: number
  /** How long another process that migrates is waited for. */
  readonly lockMs?: number
}

/** The advisory lock of whoever migrates: 'kcrd', and 1 for the schema. */
const lockKeys = [0x6b637264, 1] as const

const connectMs = 2000
const retryMs = 250

/**
 * Applies the migrations that the database lacks. Any number of processes may do so at once: one
 * works, the others wait for it. Needs a direct connection, not one through a transaction pooler.
 *
 * @returns how many this process applied
 * @throws MigrationError
 */
export async function migrate(
  url: string,
  { startMs = 30_000, lockMs = 60_000 }: MigrationOptions = {}
): Promise<{ applied: number }> {
  let link: Link | undefined
  try {
    link = await connectOnceUp(url, startMs, lockMs)
    await takeLock(link, lockMs)
    return { applied: await applyMissing(link) }
  } catch (error) {
    throw readable(error)
  } finally {
    // The lock goes with its connection.
    await link?.end()
  }
}

async function connectOnceUp(url: string, startMs: number, lockMs: number): Promise<Link> {
  const target = targetOf(url, lockMs)
  const at = `Postgres at ${target.host}:${target.port}`
  const giveUpAt = performance.now() + startMs
  for (;;) {
    const link = openLink(target)
    const failure = await greet(link)
    if (failure === undefined) return link
    if (!isPassing(failure))
      throw new MigrationError(`${at} refuses: ${words(failure)}`, { cause: failure })
    if (performance.now() > giveUpAt) {
      const waited = `${startMs / 1000} s`
      throw new MigrationError(`${at} did not answer within ${waited}: ${words(failure)}`, {
        cause: failure
      })
    }
    await sleep(retryMs)
  }
}

function targetOf(url: string, lockMs: number): Target {
  // Nothing but a lock bounds a migration: building an index takes what it takes.
  const settings = {
    lock_timeout: lockMs,
    statement_timeout: '0',
    idle_in_transaction_session_timeout: '0'
  }
  return { url, ...serverOf(url), connectMs, settings }
}

/** @returns what keeps the server from answering */
async function greet(link: Link): Promise<unknown> {
  try {
    await within(connectMs * 2, link, () => link.command('select 1'))
    return undefined
  } catch (error) {
    link.destroy()
    return translate(error)
  }
}

/** A server that is starting, or has no room at the moment. */
function isPassing(failure: unknown): boolean {
  if (!(failure instanceof DatabaseUnavailable)) return false
  return failure.reason !== 'refused' || codeOf(failure.cause).startsWith('53')
}

async function takeLock(link: Link, lockMs: number): Promise<void> {
  const [space, key] = lockKeys
  try {
    await within(lockMs + connectMs, link, () =>
      link.db.execute(sql`select pg_advisory_lock(${space}::int, ${key}::int)`)
    )
  } catch (error) {
    const failure = translate(error)
    if (!(failure instanceof DatabaseUnavailable) || failure.reason !== 'late') throw failure
    const waited = `${lockMs / 1000} s`
    throw new MigrationError(`Another process has been migrating the database for ${waited}`)
  }
}

async function applyMissing(link: Link): Promise<number> {
  const { pending, unknown } = await migrationState(link.db)
  if (unknown > 0) {
    throw new MigrationError(
      `The database is newer than this version of Keycard: it has ${unknown} migration(s) that this version does not know. Run the version that applied them, or a later one.`
    )
  }
  if (pending > 0) await migrateWithDrizzle(link.db, { migrationsFolder })
  return pending
}

/** Cuts the connection when `work` takes longer, so that `work` fails. */
async function within<T>(ms: number, link: Link, work: () => Promise<T>): Promise<T> {
  const calm = after(ms, link.destroy)
  try {
    return await work()
  } finally {
    calm()
  }
}

function readable(error: unknown): MigrationError {
  if (error instanceof MigrationError) return error
  const failure = translate(error)
  return new MigrationError(`The database could not be migrated: ${words(failure)}`, {
    cause: failure
  })
}

/** The innermost reason. Neither Postgres nor the driver puts a password into it. */
function words(failure: unknown): string {
  if (!(failure instanceof Error)) return String(failure)
  if (failure.cause instanceof Error) return words(failure.cause)
  return 'code' in failure ? `${failure.message} (${codeOf(failure)})` : failure.message
}
