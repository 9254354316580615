import type { FastifyInstance } from 'fastify'
import { buildApp } from '../app.js'
import { systemClock } from '../clock.js'
import type { Config } from '../config.js'
import { migrate } from '../database/migrate.js'
import { startEmbeddedPostgres } from '../embedded/postgres.js'
import { letEventLoopGoFirst } from '../passwords/thread-priority.js'
import { type AccessTokens, createAccessTokens } from '../tokens/access-tokens.js'
import { loadKeyMaterial } from './key-material.js'

/** A service that listens. */
export interface Service {
  readonly app: FastifyInstance
  readonly url: string
  readonly databaseUrl: string
  readonly accessTokens: AccessTokens
  /** Requests in flight finish, then everything that was started is stopped. */
  readonly close: () => Promise<void>
}

/**
 * Starts all there is: keys, the embedded Postgres where no other is named, migrations, the app.
 * Where a step fails, what was started before it is stopped.
 */
export async function startService(
  config: Config,
  isStopping: () => boolean = () => false
): Promise<Service> {
  const opened: (() => Promise<void>)[] = []
  /** The last first, and the next one even where one fails. */
  async function close(): Promise<void> {
    const step = opened.pop()
    if (step === undefined) return
    try {
      await step()
    } finally {
      await close()
    }
  }

  try {
    const { keyRing, refreshSecret } = await loadKeyMaterial(config)
    const databaseUrl = config.databaseUrl ?? (await openEmbedded(config.dataDir, opened))
    await migrate(databaseUrl)
    const accessTokens = createAccessTokens({
      keyRing,
      issuer: config.jwt.issuer,
      audience: config.jwt.audience,
      ttlSeconds: config.jwt.accessTokenTtlSeconds,
      clock: systemClock
    })
    const app = await buildApp({ config, databaseUrl, accessTokens, refreshSecret, isStopping })
    opened.push(async () => await app.close())
    await letEventLoopGoFirst(config.threadPoolSize)
    const url = await app.listen({ host: config.host, port: config.port })
    return { app, url, databaseUrl, accessTokens, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openEmbedded(dataDir: string, opened: (() => Promise<void>)[]): Promise<string> {
  const say = (message: string): void => {
    process.stderr.write(`${message}\n`)
  }
  const log = { info: say, warn: say, error: say }
  const postgres = await startEmbeddedPostgres({ dataDir, log })
  opened.push(postgres.stop)
  return postgres.url
}
