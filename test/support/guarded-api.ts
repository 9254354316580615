import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { buildProtectedApi } from '../../examples/protected-api/app.js'
import type { KeycardGuardOptions } from '../../src/guard/plugin.js'
import { type Client, createClient } from './client.js'
import { createDeployment } from './deployment.js'
import { eventually } from './eventually.js'
import type { KeycardOptions, TestKeycard } from './keycard.js'
import { type IssuedClient, issueClient, registerAdmin } from './operators.js'
import { startRedis, type TestRedis } from './redis.js'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js'

/** Keycard, and an API of somebody else's that has its guard. */
export interface Guarded {
  readonly keycard: TestKeycard
  readonly redis: TestRedis
  /** Between the API and Keycard, and between the API and Redis. */
  readonly toKeycard: TcpProxy
  readonly toRedis: TcpProxy
  readonly client: IssuedClient
  readonly api: Client & { readonly app: FastifyInstance }
}

export interface GuardedOptions {
  readonly keycard?: KeycardOptions
  readonly guard?: Partial<KeycardGuardOptions>
}

export async function startGuarded(t: Test, options: GuardedOptions = {}): Promise<Guarded> {
  const redis = await startRedis(t)
  const { start } = await createDeployment(t)
  const keycard = await start({ redisUrl: redis.url, ...options.keycard })
  const client = await issueClient(keycard, await registerAdmin(keycard))
  const toKeycard = await startTcpProxy(t, Number(new URL(keycard.url).port))
  const toRedis = await startTcpProxy(t, redis.port)
  const app = await buildProtectedApi({
    keycard: {
      keycardUrl: `http://127.0.0.1:${toKeycard.port}`,
      clientId: client.id,
      clientSecret: client.secret,
      redisUrl: `redis://127.0.0.1:${toRedis.port}`,
      keys: { secret: keycard.jwtSecret },
      issuer: keycard.config.jwt.issuer,
      ...options.guard
    }
  })
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const api = { ...createClient(url), app }
  await decidesFrom(api, 'replica')
  return { keycard, redis, toKeycard, toRedis, client, api }
}

/** Done when the API decides from its replica, or has none to decide from. */
export async function decidesFrom(
  { app }: Guarded['api'],
  source: 'replica' | 'database'
): Promise<void> {
  await eventually(
    `it decides from its ${source}`,
    () => app.keycard.status().decidesFrom === source
  )
}
