import type { Sql } from 'postgres'
import type { TestRedis } from '../../../test/support/redis.js'

/** The servers of data: version and settings that a figure depends on, as they say themselves. */
export interface Backends {
  readonly postgres: Readonly<Record<string, string>>
  readonly redis: Readonly<Record<string, string>>
}

const postgresSettings = [
  'server_version',
  'fsync',
  'synchronous_commit',
  'shared_buffers',
  'max_wal_size',
  'max_connections'
]

export async function describeBackends(sql: Sql, redis: TestRedis): Promise<Backends> {
  const rows = await sql<{ name: string; value: string }[]>`
    select name, current_setting(name) as value from unnest(${postgresSettings}::text[]) name`
  const info = String(await redis.cli('info', 'server'))
  const [, version = 'unknown'] = /^(?:valkey|redis)_version:(\S+)/m.exec(info) ?? []
  return {
    postgres: Object.fromEntries(rows.map(({ name, value }) => [name, value])),
    redis: { version, persistence: 'none' }
  }
}
