import { fileURLToPath } from 'node:url'
import type { Lifetime } from '../../test/support/lifetime.js'
import type { RequestHead } from '../servers/process.js'
import { emptyDatabase, ownPostgres, ownRedis } from './backends.js'
import type { ServerScript } from './build.js'
import { accessTokensOf, bearing, nodeEnvironment, seedRevocations, seedUsers } from './seed.js'
import { startServer } from './server-process.js'

/** The processes of a contender, with all below them: whose CPU a request costs. */
export interface Processes {
  readonly server: readonly number[]
  readonly redis: readonly number[]
  readonly postgres: readonly number[]
}

export const noProcesses: Processes = { server: [], redis: [], postgres: [] }

/** One of those who are compared, running. */
export interface Contender {
  readonly name: string
  readonly url: string
  /** Requests that it lets pass, to take turns. */
  readonly requests: readonly RequestHead[]
  readonly processes: Processes
}

export interface Variant {
  readonly name: string
  readonly start: (site: VariantSite) => Promise<Contender>
}

export interface VariantSite {
  readonly lifetime: Lifetime
  readonly script: ServerScript
}

const tokensInRotation = 500
const liveRevocations = 1_000
const peersFolder = fileURLToPath(new URL('../peers/', import.meta.url))

/** Who protects one route, from nobody to what people use. */
export const verifyVariants: readonly Variant[] = [
  { name: 'bare Fastify', start: startBare },
  { name: 'Keycard replica', start: (site) => startGuarded(site, 'replica') },
  { name: 'Keycard redis', start: (site) => startGuarded(site, 'redis') },
  { name: 'Keycard database', start: (site) => startGuarded(site, 'database') },
  { name: 'Express tutorial', start: (site) => startExpress(site, 'tutorial') },
  { name: 'Express best', start: (site) => startExpress(site, 'best') },
  { name: 'better-auth Postgres', start: (site) => startBetterAuth(site, 'database') },
  { name: 'better-auth cookie cache', start: (site) => startBetterAuth(site, 'cookie-cache') }
]

async function startBare({ lifetime, script }: VariantSite): Promise<Contender> {
  const { url, pid } = await startServer(lifetime, { script: script('bare'), env: production })
  // It looks at no token, and reads the same headers.
  return {
    name: 'bare Fastify',
    url,
    requests: bearing(accessTokensOf(tokensInRotation)),
    processes: { ...noProcesses, server: [pid] }
  }
}

const production = { NODE_ENV: 'production' }

async function startGuarded(
  { lifetime, script }: VariantSite,
  mode: 'replica' | 'redis' | 'database'
): Promise<Contender> {
  const [postgres, redis] = await Promise.all([ownPostgres(lifetime), ownRedis(lifetime)])
  await seedUsers(postgres.sql, tokensInRotation)
  await seedRevocations(postgres.sql, liveRevocations)
  const { url, pid } = await startServer(lifetime, {
    script: script('guarded'),
    env: {
      ...nodeEnvironment,
      REVOCATION_MODE: mode,
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url
    }
  })
  return {
    name: `Keycard ${mode}`,
    url,
    requests: bearing(accessTokensOf(tokensInRotation)),
    processes: { server: [pid], redis: [redis.pid], postgres: [postgres.pid] }
  }
}

async function startExpress(
  { lifetime }: VariantSite,
  how: 'tutorial' | 'best'
): Promise<Contender> {
  const redis = await ownRedis(lifetime)
  const { url, pid, requests } = await startServer(lifetime, {
    script: `${peersFolder}express-${how}.js`,
    env: {
      ...(how === 'best' && production),
      REDIS_URL: redis.url,
      REQUESTS: String(tokensInRotation)
    }
  })
  return {
    name: `Express ${how}`,
    url,
    requests,
    processes: { ...noProcesses, server: [pid], redis: [redis.pid] }
  }
}

export async function startBetterAuth(
  { lifetime }: VariantSite,
  how: 'database' | 'cookie-cache' | 'refresh'
): Promise<Contender> {
  const postgres = await ownPostgres(lifetime)
  const { url, pid, requests } = await startServer(lifetime, {
    script: `${peersFolder}better-auth.js`,
    env: {
      ...production,
      PEER_VARIANT: how,
      DATABASE_URL: await emptyDatabase(postgres, 'better_auth'),
      REQUESTS: String(tokensInRotation)
    }
  })
  const called = { database: 'Postgres', 'cookie-cache': 'cookie cache', refresh: 'refresh' }[how]
  return {
    name: `better-auth ${called}`,
    url,
    requests,
    processes: { ...noProcesses, server: [pid], postgres: [postgres.pid] }
  }
}
