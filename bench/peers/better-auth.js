/**
 * better-auth as its guide to performance says: one query per session (joins), a pool of pg, production,
 * no rate limit and no telemetry, on Fastify. PEER_VARIANT:
 *
 * - `database`: getSession reads the session from Postgres
 * - `cookie-cache`: it believes a signed copy in a cookie for an hour, and no revocation before that
 * - `refresh`: GET /api/auth/get-session, each of which prolongs the session
 */
import { betterAuth } from 'better-auth'
import { makeSignature } from 'better-auth/crypto'
import { getMigrations } from 'better-auth/db/migration'
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node'
import Fastify from 'fastify'
import pg from 'pg'
import { answer, ready, settings } from './peer.js'

const variant = process.env.PEER_VARIANT ?? 'database'
const hour = 3_600
const database = new pg.Pool({ connectionString: settings.databaseUrl, max: 10 })
const options = {
  database,
  baseURL: 'http://127.0.0.1',
  secret: 'a-secret-for-nothing-but-this-comparison-9f2c',
  emailAndPassword: { enabled: true },
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  logger: { level: 'error' },
  advanced: { useSecureCookies: false, database: { joins: true } },
  session: {
    ...(variant === 'refresh' && { updateAge: 0 }),
    ...(variant === 'cookie-cache' && { cookieCache: { enabled: true, maxAge: hour } })
  }
}

const { runMigrations } = await getMigrations(options)
await runMigrations()
const auth = betterAuth(options)
const requests = await openSessions(settings.requests)

const app = Fastify()
if (variant === 'refresh') {
  const handle = toNodeHandler(auth)
  app.all('/api/auth/*', async (request, reply) => {
    reply.hijack()
    await handle(request.raw, reply.raw)
  })
} else {
  const schema = {
    response: { 200: { type: 'object', properties: { message: { type: 'string' } } } }
  }
  app.get('/protected', { schema }, async (request, reply) => {
    const session = await auth.api.getSession({ headers: fromNodeHeaders(request.headers) })
    if (session === null) return reply.code(401).send({ message: 'Not logged in' })
    return answer
  })
}
await app.listen({ host: '127.0.0.1', port: settings.port })
ready(app.server, requests, variant === 'refresh' ? '/api/auth/get-session' : '/protected')

/** Users with a session each, and the cookies that prove it, without a password hash for each. */
async function openSessions(count) {
  const { internalAdapter, authCookies, secret } = await auth.$context
  const cookies = []
  for (let index = 0; index < count; index++) {
    const email = `${settings.newId()}@example.com`
    const user = await internalAdapter.createUser({ email, name: 'Ada', emailVerified: true })
    const { token } = await internalAdapter.createSession(user.id)
    const signed = encodeURIComponent(`${token}.${await makeSignature(token, secret)}`)
    const cookie = `${authCookies.sessionToken.name}=${signed}`
    cookies.push({ headers: { cookie: await withCache(cookie) } })
  }
  return cookies
}

/** What a browser would send from then on, after the first request set the cache. */
async function withCache(cookie) {
  if (variant !== 'cookie-cache') return cookie
  const answered = await auth.api.getSession({ headers: new Headers({ cookie }), asResponse: true })
  const cached = answered.headers.getSetCookie().map((line) => line.slice(0, line.indexOf(';')))
  return [cookie, ...cached].join('; ')
}
