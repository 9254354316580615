import { randomBytes, randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { type Clock, systemClock } from '../../src/clock.js'
import { type Config, loadConfig } from '../../src/config.js'
import { loggerOptions } from '../../src/logging.js'
import { createAccessTokens, type AccessTokens } from '../../src/tokens/access-tokens.js'
import { type KeyRing, keyRingFromSecret } from '../../src/tokens/key-ring.js'
import { createClient, type Client } from './client.js'
import { createTestDatabase } from './postgres.js'

/** A node that listens, with what a test needs to look behind it. */
export interface TestKeycard extends Client {
  readonly app: FastifyInstance
  readonly config: Config
  readonly databaseUrl: string
  readonly accessTokens: AccessTokens
  readonly jwtSecret: string
  /** Every line that it logged. */
  readonly log: string[]
  /** Registers somebody new, with the refresh token in the body. */
  readonly register: (fields?: Partial<NewPerson>) => Promise<Person>
}

export interface NewPerson {
  readonly email: string
  readonly password: string
  readonly name: string
}

export interface Person extends NewPerson {
  readonly id: string
  readonly sessionId: string
  readonly accessToken: string
  readonly refreshToken: string
}

export interface KeycardOptions {
  /** Environment variables on top of the test's defaults: cheap hashes, no limits. */
  readonly env?: NodeJS.ProcessEnv
  readonly databaseUrl?: string
  readonly redisUrl?: string
  /** Where it looks when it decides. */
  readonly mode?: Config['revocation']['mode']
  readonly clock?: Clock
  readonly keyRing?: KeyRing
  /** Nodes of one deployment share their secrets. */
  readonly secrets?: TestSecrets
}

export interface TestSecrets {
  readonly jwt: string
  readonly refresh: string
}

export const newSecrets = (): TestSecrets => ({
  jwt: randomBytes(48).toString('base64url'),
  refresh: randomBytes(48).toString('base64url')
})

/** Starts a node for `t`, on a database of its own unless one is given. It stops when `t` ends. */
export async function startKeycard(t: Test, options: KeycardOptions = {}): Promise<TestKeycard> {
  const { clock = systemClock, secrets = newSecrets() } = options
  const databaseUrl = options.databaseUrl ?? (await createTestDatabase(t))
  const config = loadConfig({
    DATABASE_URL: databaseUrl,
    JWT_SECRET: secrets.jwt,
    REFRESH_SECRET: secrets.refresh,
    ARGON2_MEMORY_KIB: '1024',
    ARGON2_TIME: '2',
    HASH_QUEUE_LIMIT: '10000',
    RATE_LIMIT: 'off',
    LOG_LEVEL: 'debug',
    ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
    ...(options.mode === undefined ? {} : { REVOCATION_MODE: options.mode }),
    ...options.env
  })
  const accessTokens = createAccessTokens({
    keyRing: options.keyRing ?? keyRingFromSecret(secrets.jwt),
    issuer: config.jwt.issuer,
    audience: config.jwt.audience,
    ttlSeconds: config.jwt.accessTokenTtlSeconds,
    clock
  })
  const log: string[] = []
  const keep = (line: string) => {
    log.push(line)
  }
  const app = await buildApp({
    config,
    databaseUrl,
    accessTokens,
    refreshSecret: secrets.refresh,
    clock,
    http: { logger: { ...loggerOptions(config, false), stream: { write: keep } } }
  })
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const client = createClient(url)
  return {
    ...client,
    app,
    config,
    databaseUrl,
    accessTokens,
    jwtSecret: secrets.jwt,
    log,
    register: (fields) => register(client, fields)
  }
}

async function register(client: Client, fields: Partial<NewPerson> = {}): Promise<Person> {
  const person = {
    email: `${randomUUID()}@example.com`,
    password: 'correct horse battery',
    name: 'Ada',
    ...fields
  }
  const { status, body } = await client.post('/api/auth/register', {
    body: { ...person, tokenDelivery: 'body' }
  })
  const { user, accessToken, refreshToken, sessionId } = body
  if (user === undefined || !accessToken || !refreshToken || !sessionId) {
    throw new Error(`Nobody could register: ${status} ${body.code ?? ''}`)
  }
  return { ...person, id: user.id, accessToken, refreshToken, sessionId }
}
