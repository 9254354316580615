import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import type { Lifetime } from '../../test/support/lifetime.js'
import { startRedis } from '../../test/support/redis.js'
import { ownPostgres, redisPid } from '../compare/backends.js'
import { buildServers } from '../compare/build.js'
import { clearSeed, emailOf, nodeEnvironment, password, seedUsers } from '../compare/seed.js'
import { type ServerProcess, startServer } from '../compare/server-process.js'
import { noProcesses, type Processes } from '../compare/variants.js'
import type { Target } from './driver/connection.js'
import type { ExistingTarget, LoadOptions } from './options.js'
import { peopleOf, type Person } from './people.js'

/** What is put under load. */
export interface Site {
  readonly targets: readonly [Target, ...Target[]]
  readonly protectedPath: string
  /** Whose CPU counts; none of a deployment that was there before. */
  readonly processes: Processes
  readonly redis: { kill: () => Promise<void>; start: () => Promise<void> } | undefined
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
  const takePeople = await populate(database.sql, options, '/protected')
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
    processes: {
      server: nodes.map(({ pid }) => pid),
      redis: [await redisPid(redis)],
      postgres: [database.pid]
    },
    redis,
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
  const takePeople = await populate(sql, options, path)
  // The last one takes part in no scenario.
  await sql`update users set roles = '{admin}' where email = ${emailOf(options.users)}`
  return {
    targets: [targetOf(origins[0]), ...origins.slice(1).map(targetOf)],
    protectedPath: path,
    processes: noProcesses,
    redis: undefined,
    admin: { email: emailOf(options.users), password },
    takePeople
  }
}

/** Makes the accounts and hands out a part of them for each scenario. */
async function populate(
  sql: postgres.Sql,
  { users, people: share, scenarios }: LoadOptions,
  protectedPath: string
): Promise<Site['takePeople']> {
  const [row] = await sql<{ generation: number }[]>`select generation from deployment`
  const seeding = { prefix: randomBytes(4).toString('hex'), generation: row?.generation ?? 1 }
  await clearSeed(sql)
  await seedUsers(sql, users, seeding)
  const people = peopleOf(share * scenarios.length, seeding, protectedPath)
  return () => {
    const [first, ...others] = people.splice(0, share)
    if (first === undefined) throw new Error('No people are left')
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
