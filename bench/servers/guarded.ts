/**
 * A node of a deployment that has Keycard's guard before the same route, and nothing else of Keycard's:
 * what a service pays that checks its own requests. Configured as Keycard is, REVOCATION_MODE included.
 */
import { setTimeout as pause } from 'node:timers/promises'
import Fastify from 'fastify'
import { systemClock } from '../../src/clock.js'
import { loadConfig } from '../../src/config.js'
import database from '../../src/plugins/database.js'
import guard from '../../src/plugins/guard.js'
import redis from '../../src/plugins/redis.js'
import revocation from '../../src/plugins/revocation.js'
import { loadKeyMaterial } from '../../src/startup/key-material.js'
import { createTokenVerifier } from '../../src/tokens/token-verifier.js'
import { addRoutes, announce } from './process.js'

const config = loadConfig(process.env)
if (config.databaseUrl === undefined) throw new Error('DATABASE_URL is missing')
const { keyRing } = await loadKeyMaterial(config)
const accessTokens = createTokenVerifier({
  keys: keyRing.keys,
  issuer: config.jwt.issuer,
  audience: config.jwt.audience,
  ttlSeconds: config.jwt.accessTokenTtlSeconds,
  clock: systemClock
})

// A million live revocations take longer to read on a busy machine than a plugin may by default: 10 s.
const app = Fastify({ pluginTimeout: 120_000 })
await app.register(database, { url: config.databaseUrl })
await app.register(redis, { target: config.redis })
await app.register(revocation, {
  redisTarget: config.redis,
  ...config.revocation,
  accessTokenTtlSeconds: config.jwt.accessTokenTtlSeconds,
  clock: systemClock
})
await app.register(guard, { accessTokens, check: app.revocation.check })
addRoutes(app, { onRequest: app.authenticate })
await app.ready()
// Until then it asks Postgres, which is another mode's figure.
while (app.revocation.status().decidesFrom !== config.revocation.mode) await pause(20)
await announce(app, '/protected')
