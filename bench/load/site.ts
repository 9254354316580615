import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { parseDurationMs } from '../../src/config/duration.js'
import type { Lifetime } from '../../test/support/lifetime.js'
import { startRedis, type TestRedis } from '../../test/support/redis.js'
import { ownPostgres, redisPid } from '../compare/backends.js'
import { buildServers } from '../compare/build.js'
import { clearSeed, emailOf, nodeEnvironment, password, seedUsers } from '../compare/seed.js'
import { type ServerProcess, startServer } from '../compare/server-process.js'
import type { Processes } from '../compare/variants.js'
import type { Target } from './driver/connection.js'
import type { ExistingTarget, LoadOptions } from './options.js'
import { type PeopleOptions, peopleOf, type Person } from './people.js'
import { type Backends, describeBackends } from './report/backends.js'

/** What is put under load. */
export interface Site {
  readonly targets: readonly [Target, ...Target[]]
  readonly protectedPath: string
  /** Whose CPU counts: the processes that there are now. Undefined for a deployment that was there before. */
  readonly processes: () => Promise<Processes | undefined>
  readonly redis: Pick<TestRedis, 'kill' | 'start'> | undefined
  readonly backends: Backends | null
  /** An account with the role admin. */
  readonly admin: { readonly email: string; readonly password: string }
  /** People whom no scenario has had before, so that none finds what another one left. */
  readonly takePeople: () => [Person, ...Person[]]
}

const admin = { email: 'root@bench.example', password }

export async function openSite(lifetime: Lifetime, options: LoadOptions): Promise<Site> {
  return options.target === undefined
    ? await ownSite(lifetime, options)
    : await existingSite(lifetime, options, options.target)
}

/** A deployment that is made for the run: processes, Postgres and Redis of its own. */
async function ownSite(lifetime: Lifetime, options: LoadOptions): Promise<Site> {
  const [script, database, redis] = await Promise.all([
    buildServers(lifetime),
    ownPostgres(lifetime),
    startRedis(lifetime)
  ])
  const takePeople = await populate(database.sql, options, {
    protectedPath: '/protected',
    ttlSeconds: 3_600
  })
  const env = {
    ...nodeEnvironment,
    NODE_ENV: 'development',
    REVOCATION_MODE: options.mode,
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    BOOTSTRAP_ADMIN_EMAIL: admin.email,
    BOOTSTRAP_ADMIN_PASSWORD: admin.password
  }
  const start = async () => await startServer(lifetime, { script: script('service'), env })
  const first = await start()
  const nodes: ServerProcess[] = [first]
  while (nodes.length < options.nodes) nodes.push(await start())
  return {
    targets: [targetOf(first.url), ...nodes.slice(1).map(({ url }) => targetOf(url))],
    protectedPath: '/protected',
    processes: async () => ({
      server: nodes.map(({ pid }) => pid),
      redis: [await redisPid(redis)],
      postgres: [database.pid]
    }),
    redis,
    backends: await describeBackends(database.sql, redis),
    admin,
    takePeople
  }
}

async function existingSite(
  lifetime: Lifetime,
  options: LoadOptions,
  { origins, databaseUrl, path }: ExistingTarget
): Promise<Site> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => undefined })
  lifetime.teardown(() => sql.end())
  await refuseOthersData(sql)
  // Everybody can read their password.
  lifetime.teardown(() => clearSeed(sql))
  const takePeople = await populate(sql, options, {
    protectedPath: path,
    ttlSeconds: targetTtlSeconds()
  })
  // The last one takes part in no scenario.
  await sql`update users set roles = '{admin}' where email = ${emailOf(options.users)}`
  return {
    targets: [targetOf(origins[0]), ...origins.slice(1).map(targetOf)],
    protectedPath: path,
    processes: async () => undefined,
    redis: undefined,
    backends: null,
    admin: { email: emailOf(options.users), password },
    takePeople
  }
}

/** A node refuses tokens that live longer than its own: at most the default, unless the environment says otherwise. */
function targetTtlSeconds(): number {
  const told = parseDurationMs(process.env['ACCESS_TOKEN_TTL'] ?? '15m')
  if (told === undefined) throw new Error('ACCESS_TOKEN_TTL is no duration such as 15m')
  return told / 1_000
}

/** Makes the accounts and hands out a part of them for each scenario. */
async function populate(
  sql: postgres.Sql,
  { users, people: count }: LoadOptions,
  tokens: Pick<PeopleOptions, 'protectedPath' | 'ttlSeconds'>
): Promise<Site['takePeople']> {
  const [row] = await sql<{ generation: number }[]>`select generation from deployment`
  const seeding = { prefix: randomBytes(4).toString('hex'), generation: row?.generation ?? 1 }
  await clearSeed(sql)
  await seedUsers(sql, users, seeding)
  let next = 1
  return () => {
    // Their tokens are made when they are needed: they don't live for ever.
    const [first, ...others] = peopleOf({ first: next, count, seeding, ...tokens })
    if (first === undefined) throw new Error('Nobody takes part')
    next += count
    return [first, ...others]
  }
}

/** The accounts that are made have a password that everybody can read: they belong beside nobody's. */
async function refuseOthersData(sql: postgres.Sql): Promise<void> {
  const [others] = await sql<{ count: number }[]>`
    select count(*)::int as count from users
    where email not like '%@bench.example' and email not like '%@example.com'`
  if (process.env['NODE_ENV'] === 'production' || (others?.count ?? 0) > 0) {
    throw new Error('The target has accounts of others: give the load a deployment of its own')
  }
}

function targetOf(url: string): Target {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port || 80) }
}
