/** All of Keycard, and the protected route of the comparison beside its own: hashes and guards share a process here. */
import { buildApp } from '../../src/app.js'
import { systemClock } from '../../src/clock.js'
import { loadConfig } from '../../src/config.js'
import { letEventLoopGoFirst } from '../../src/passwords/thread-priority.js'
import { loadKeyMaterial } from '../../src/startup/key-material.js'
import { createAccessTokens } from '../../src/tokens/access-tokens.js'
import { addRoutes, announce } from './process.js'

const config = loadConfig(process.env)
if (config.databaseUrl === undefined) throw new Error('DATABASE_URL is missing')
const { keyRing, refreshSecret } = await loadKeyMaterial(config)
const accessTokens = createAccessTokens({
  keyRing,
  issuer: config.jwt.issuer,
  audience: config.jwt.audience,
  ttlSeconds: config.jwt.accessTokenTtlSeconds,
  clock: systemClock
})
const app = await buildApp({
  config,
  databaseUrl: config.databaseUrl,
  accessTokens,
  refreshSecret
})
addRoutes(app, { onRequest: app.authenticate })
if (process.env['BENCH_EQUAL_THREADS'] === undefined)
  await letEventLoopGoFirst(config.threadPoolSize)
await announce(app, '')
