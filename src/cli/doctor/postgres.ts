import { and, isNull, sql } from 'drizzle-orm'
import { existsWithRole } from '../../accounts/store.js'
import type { Config } from '../../config.js'
import type { Database, Queries } from '../../database/connection.js'
import { databaseLimits } from '../../database/limits.js'
import { type MigrationState, migrationState } from '../../database/migrations.js'
import { auditEvents, nodes } from '../../database/schema.js'
import { duration } from '../times.js'
import { type Check, finder } from './finding.js'

export interface ServerFacts {
  /** Of pg_settings, by name. */
  readonly settings: Readonly<Record<string, string>>
  readonly isStandby: boolean
  readonly migrations: MigrationState
}

export interface SchemaFacts {
  readonly config: Config
  readonly settings: ServerFacts['settings']
  /** Nodes with connections of their own. */
  readonly nodes: number
  readonly hasAdmin: boolean
  /** How long the oldest audit event that is in no batch yet has waited. */
  readonly unsealedForMs: number
}

const names = [
  'fsync',
  'synchronous_commit',
  'full_page_writes',
  'max_connections',
  'superuser_reserved_connections',
  'reserved_connections',
  'server_version_num'
]

/** @throws DatabaseUnavailable */
export async function readServer(database: Database): Promise<ServerFacts> {
  return await database.read(async (db) => {
    const rows = await db.execute<{ name: string; setting: string }>(
      sql`select name, setting from pg_settings where name in ${names}`
    )
    const [standby] = await db.execute<{ is: boolean }>(sql`select pg_is_in_recovery() as is`)
    return {
      settings: Object.fromEntries(rows.map(({ name, setting }) => [name, setting])),
      isStandby: standby?.is === true,
      migrations: await migrationState(db)
    }
  })
}

/** Of a database that is migrated. @throws DatabaseUnavailable */
export async function readSchema(
  database: Database,
  config: Config,
  { settings }: ServerFacts
): Promise<SchemaFacts> {
  return await database.read(async (db) => ({
    config,
    settings,
    nodes: await db.$count(nodes, and(isNull(nodes.clientId))),
    hasAdmin: await existsWithRole(db, 'admin'),
    unsealedForMs: await readUnsealedAge(db)
  }))
}

/** Ids are in the order of time. */
async function readUnsealedAge(db: Queries): Promise<number> {
  const [oldest] = await db
    .select({
      ms: sql<number>`(extract(epoch from now() - ${auditEvents.occurredAt}) * 1000)::float8`
    })
    .from(auditEvents)
    .where(isNull(auditEvents.batch))
    .orderBy(auditEvents.id)
    .limit(1)
  return oldest?.ms ?? 0
}

const durability =
  (setting: string, found: string): Check<ServerFacts> =>
  ({ settings }) =>
    settings[setting] === 'off' ? finder(setting).error(found, `Set ${setting} = on.`) : undefined

const standby: Check<ServerFacts> = ({ isStandby }) => {
  if (!isStandby) return undefined
  return finder('DATABASE_URL').error(
    'DATABASE_URL leads to a standby, which can only be read.',
    'Let it lead to the primary.'
  )
}

const version: Check<ServerFacts> = ({ settings }) => {
  const number = Number(settings['server_version_num'])
  if (number >= 140_000) return undefined
  return finder('postgres-version').error(
    `Postgres ${Math.floor(number / 10_000)} gets no security fixes any more.`,
    'Run Postgres 15 or later.'
  )
}

const migrations: Check<ServerFacts> = ({ migrations: { pending, unknown } }) => {
  const { error } = finder('migrations')
  if (unknown > 0) {
    return error(
      `The database has ${unknown} migration(s) of a later version of Keycard.`,
      'Run that version, or a later one.'
    )
  }
  if (pending === 0) return undefined
  return error(`${pending} migration(s) are not applied.`, 'Run keycard migrate.')
}

/** Its pool, the connection that listens, and a probe. */
const connectionsPerNode = databaseLimits.connections + 2

const connections: Check<SchemaFacts> = ({ settings, nodes }) => {
  const reserved =
    Number(settings['superuser_reserved_connections'] ?? 0) +
    Number(settings['reserved_connections'] ?? 0)
  const free = Number(settings['max_connections']) - reserved
  const running = Math.max(1, nodes)
  // While a new version is rolled out, one more runs.
  const needed = (running + 1) * connectionsPerNode
  if (needed <= free) return undefined
  return finder('max_connections').error(
    `${running} node(s), and one more while they are replaced, take up to ${needed} connections; Postgres gives ${free}.`,
    `Set max_connections to ${needed + reserved} or more, or run fewer nodes.`
  )
}

const bootstrapPassword: Check<SchemaFacts> = ({ config, hasAdmin }) => {
  if (config.bootstrapAdmin === undefined || !hasAdmin) return undefined
  return finder('BOOTSTRAP_ADMIN_PASSWORD').warning(
    'BOOTSTRAP_ADMIN_PASSWORD is still set, though there is an admin.',
    'Take BOOTSTRAP_ADMIN_EMAIL and BOOTSTRAP_ADMIN_PASSWORD out of the environment.'
  )
}

const longestUnsealedMs = 10 * 60_000

const sealing: Check<SchemaFacts> = ({ unsealedForMs }) => {
  if (unsealedForMs <= longestUnsealedMs) return undefined
  return finder('audit-seal').error(
    `An audit event has waited for ${duration(unsealedForMs)} to be sealed: until then, a change to it does not show.`,
    'Make sure that a node runs, and look for audit in its log.'
  )
}

export const serverChecks = [
  durability('fsync', 'A power cut can corrupt the database, and with it what was revoked.'),
  durability(
    'synchronous_commit',
    'A crash of Postgres forgets revocations that were answered with success.'
  ),
  durability('full_page_writes', 'A power cut can leave torn pages in the database.'),
  standby,
  version,
  migrations
]

export const schemaChecks = [connections, bootstrapPassword, sealing]
