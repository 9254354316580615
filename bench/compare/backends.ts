import postgres from 'postgres'
import type { Lifetime } from '../../test/support/lifetime.js'
import { startPostgres } from '../../test/support/postgres.js'
import { startRedis, type TestRedis } from '../../test/support/redis.js'
import { parentOf } from './cpu.js'

/** A server of data, and the process whose CPU counts, with all below it. */
export interface Backend {
  readonly url: string
  readonly pid: number
}

export interface PostgresBackend extends Backend {
  /** One connection, for seeding. */
  readonly sql: postgres.Sql
}

/** As a deployment would have them, not as tests do: what was answered is on the disk. */
const settings = {
  fsync: 'on',
  synchronous_commit: 'on',
  shared_buffers: '256MB',
  max_wal_size: '4GB',
  max_connections: '200'
}

/**
 * A Postgres of its own, on a migrated database. Nobody shares one, so that all it does is done for the
 * one whose figures it appears in.
 */
export async function ownPostgres(lifetime: Lifetime): Promise<PostgresBackend> {
  const { url } = await startPostgres(lifetime, { settings })
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  lifetime.teardown(() => sql.end())
  const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`
  if (row === undefined) throw new Error('Postgres does not say its process')
  return { url, pid: parentOf(row.pid), sql }
}

/** The url of a new, empty database beside the migrated one. */
export async function emptyDatabase({ url, sql }: PostgresBackend, name: string): Promise<string> {
  await sql`create database ${sql(name)} template template0`
  const place = new URL(url)
  place.pathname = name
  return place.href
}

/** A Redis of its own, which keeps nothing on disk. */
export async function ownRedis(lifetime: Lifetime): Promise<Backend> {
  const redis = await startRedis(lifetime)
  return { url: redis.url, pid: await redisPid(redis) }
}

/** The process of a server, which is another one after each start. */
export async function redisPid({ cli }: Pick<TestRedis, 'cli'>): Promise<number> {
  const info = String(await cli('info', 'server'))
  const [, pid] = /^process_id:(\d+)/m.exec(info) ?? []
  return Number(pid)
}
