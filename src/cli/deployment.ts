import { randomBytes } from 'node:crypto'
import { type Clock, systemClock } from '../clock.js'
import { type Config, loadConfig, readEnvironment } from '../config.js'
import { connectDatabase, type Database } from '../database/connection.js'
import { serverOf } from '../database/link.js'
import type { RedisClient } from '../redis/client.js'
import { createRevocation, type RevocationService } from '../revocation/revocation.js'
import { createServices, type Services } from '../services.js'
import type { AccessTokens } from '../tokens/access-tokens.js'

/**
 * What is revoked here is remembered for as long as tokens of whichever node may live, whatever the
 * ACCESS_TOKEN_TTL of this shell says: a little memory against a token that comes back to life.
 */
const longestAccessTokenSeconds = 3_600
const redisStartMs = 1_000

/** What a command works with: the domain on the deployment's own database and Redis, without the API. */
export interface Deployment {
  readonly config: Config
  readonly databaseUrl: string
  readonly database: Database
  /** Which Postgres this is, to be shown to people. */
  readonly name: string
  readonly redis: RedisClient | undefined
  readonly isRedisReady: boolean
  /** Of a process that decides nothing: it records and announces, and is no node. */
  readonly revocation: RevocationService
  readonly services: Services
  readonly clock: Clock
  readonly close: () => Promise<void>
}

export interface DeploymentOptions {
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  /** Told what the operator must know, such as that Redis is away. */
  readonly note: (line: string) => void
  /** Loads the keys as well: for commands that issue tokens. All others do without. */
  readonly issuesTokens?: boolean
}

/** The database of the deployment, and how to leave it. */
export interface DatabaseVisit {
  readonly url: string
  readonly leave: () => Promise<void>
}

/** @throws ConfigError, StartError */
export async function visitDatabase(
  config: Config,
  note: (line: string) => void
): Promise<DatabaseVisit> {
  if (config.databaseUrl !== undefined) {
    return { url: config.databaseUrl, leave: async () => undefined }
  }
  const { visitEmbeddedPostgres } = await import('../embedded/visit.js')
  const log = { info: note, warn: note, error: note }
  return await visitEmbeddedPostgres({ dataDir: config.dataDir, log })
}

/** @throws ConfigError */
export function commandConfig({ env, cwd }: Pick<DeploymentOptions, 'env' | 'cwd'>): Config {
  return loadConfig(readEnvironment(env, cwd))
}

/**
 * Builds what a command needs. Neither the API nor Redis need be there: a Redis that is away is told
 * of and done without. Postgres is asked by the first call. What only some deployments or commands need
 * is loaded only for them.
 *
 * @throws ConfigError, StartError, KeyRingError
 */
export async function openDeployment(options: DeploymentOptions): Promise<Deployment> {
  const { note, issuesTokens = false } = options
  const clock = systemClock
  const config = commandConfig(options)
  const issuer = issuesTokens ? await loadIssuer(config, clock) : undefined
  const visit = await visitDatabase(config, note)
  const database = connectDatabase(visit.url)
  const link = config.redis && (await connectRedis(config.redis, note))
  const revocation = createRevocation({
    ...config.revocation,
    database,
    redis: link && { commands: link.client, feed: undefined },
    mode: 'database',
    accessTokenTtlSeconds: longestAccessTokenSeconds,
    clock,
    log: silence
  })
  const services = createServices({
    config: { ...config, jwt: { ...config.jwt, accessTokenTtlSeconds: longestAccessTokenSeconds } },
    database,
    revocation,
    accessTokens: issuer?.accessTokens ?? noTokens,
    refreshSecret: issuer?.refreshSecret ?? randomBytes(48).toString('base64url'),
    clock
  })
  return {
    config,
    databaseUrl: visit.url,
    database,
    name: nameOf(visit.url),
    redis: link?.client,
    isRedisReady: link?.isReady === true,
    revocation,
    services,
    clock,
    async close() {
      await link?.close()
      await database.close()
      await visit.leave()
    }
  }
}

/** What a command does is its report; the state of the connections shows in the outcome. */
const silence = { info: () => undefined, warn: () => undefined, error: () => undefined }

async function connectRedis(target: NonNullable<Config['redis']>, note: (line: string) => void) {
  const [{ createRedisClient }, { openRedis, closeRedis }] = await Promise.all([
    import('../redis/client.js'),
    import('../redis/lifecycle.js')
  ])
  const client = createRedisClient(target)
  // Each attempt that fails says so; what matters is whether one succeeds.
  client.on('error', () => undefined)
  const isReady = await openRedis(client, redisStartMs)
  if (!isReady) note('Redis does not answer: going on with Postgres alone.')
  return { client, isReady, close: () => closeRedis(client) }
}

async function loadIssuer(config: Config, clock: Clock) {
  const [{ loadKeyMaterial }, { createAccessTokens }] = await Promise.all([
    import('../startup/key-material.js'),
    import('../tokens/access-tokens.js')
  ])
  const { keyRing, refreshSecret } = await loadKeyMaterial(config)
  const { issuer, audience, accessTokenTtlSeconds: ttlSeconds } = config.jwt
  const accessTokens = createAccessTokens({ keyRing, issuer, audience, ttlSeconds, clock })
  return { accessTokens, refreshSecret }
}

/** `host:port/database`: never the account or its password. */
function nameOf(url: string): string {
  const { host, port } = serverOf(url)
  return `${host}:${port}${new URL(url).pathname}`
}

const noTokens: AccessTokens = {
  issue: refuseToken,
  activeKeyId: refuseToken,
  verify: refuseToken,
  replaceKeyRing: refuseToken,
  jwks: refuseToken
}

function refuseToken(): never {
  throw new TypeError('This command was built without keys')
}
