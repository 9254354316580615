import { eq } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { buildProtectedApi } from '../../examples/protected-api/app.js'
import { users } from '../../src/database/schema.js'
import { createClient } from '../support/client.js'
import { startKeycard, type TestKeycard } from '../support/keycard.js'

/** Keycard, and beside it somebody else's Fastify app with the guard. */
async function startBoth(t: Test, env: NodeJS.ProcessEnv = {}) {
  let now = Date.now()
  const keycard = await startKeycard(t, { env, clock: () => now })
  const app = await buildProtectedApi({
    databaseUrl: keycard.databaseUrl,
    redisUrl: undefined,
    accessTokens: keycard.accessTokens,
    accessTokenTtlSeconds: keycard.config.jwt.accessTokenTtlSeconds
  })
  t.teardown(() => app.close())
  const api = createClient(await app.listen({ host: '127.0.0.1', port: 0 }))
  const wait = (ms: number) => {
    now += ms
  }
  return { keycard, api, wait }
}

/** Registers somebody with these roles and logs in again: roles are read when a session opens. */
async function logInAs(keycard: TestKeycard, ...roles: string[]): Promise<string> {
  const { id, email, password } = await keycard.register()
  await keycard.app.database.write((db) => db.update(users).set({ roles }).where(eq(users.id, id)))
  const { body } = await keycard.post('/api/auth/login', { body: { email, password } })
  return body.accessToken ?? ''
}

const memberPaths = ['/api/protected', '/api/profile', '/api/dashboard', '/api/settings']

t.test('public routes need no token', async (t) => {
  const { api } = await startBoth(t)
  t.equal((await api.get('/api/public')).status, 200)
  t.match((await api.get('/api/feed')).text, /Hello, stranger/)
})

t.test('an optional route knows who is there, and refuses a bad token', async (t) => {
  const { api, keycard } = await startBoth(t)
  const ada = await keycard.register()
  t.match((await api.get('/api/feed', { token: ada.accessToken })).text, `Hello, ${ada.id}`)
  const bad = await api.get('/api/feed', { token: `${ada.accessToken}x` })
  t.equal(bad.status, 401)
  t.equal(bad.body.code, 'INVALID_TOKEN')
})

t.test('member routes want a good token', async (t) => {
  const { api, keycard } = await startBoth(t)
  const { accessToken, id } = await keycard.register()
  for (const path of memberPaths) {
    t.equal((await api.get(path, { token: accessToken })).status, 200, path)
    const missing = await api.get(path)
    t.equal(missing.status, 401, path)
    t.equal(missing.body.code, 'MISSING_TOKEN')
    t.equal(missing.headers.get('www-authenticate'), 'Bearer')
    t.equal((await api.get(path, { token: 'a.b.c' })).body.code, 'INVALID_TOKEN')
  }
  t.match((await api.get('/api/profile', { token: accessToken })).text, id)
})

t.test('an expired token is told apart, so that the client refreshes', async (t) => {
  const { api, keycard, wait } = await startBoth(t, { ACCESS_TOKEN_TTL: '1m' })
  const { accessToken, refreshToken } = await keycard.register()
  wait(61_000)
  const expired = await api.get('/api/profile', { token: accessToken })
  t.equal(expired.status, 401)
  t.equal(expired.body.code, 'TOKEN_EXPIRED')
  const { body } = await keycard.post('/api/auth/refresh', { body: { refreshToken } })
  t.equal((await api.get('/api/profile', { token: body.accessToken })).status, 200)
})

t.test('what Keycard revokes is dead here when it has answered', async (t) => {
  const { api, keycard } = await startBoth(t)
  const { accessToken } = await keycard.register()
  t.equal((await api.get('/api/profile', { token: accessToken })).status, 200)
  t.equal((await keycard.post('/api/auth/logout', { token: accessToken })).status, 204)
  const dead = await api.get('/api/profile', { token: accessToken })
  t.equal(dead.status, 401)
  t.equal(dead.body.code, 'TOKEN_REVOKED')
})

t.test('roles decide who manages users and posts', async (t) => {
  const { api, keycard } = await startBoth(t)
  const member = await logInAs(keycard)
  const moderator = await logInAs(keycard, 'moderator')
  const admin = await logInAs(keycard, 'admin')

  for (const token of [member, moderator]) {
    const refused = await api.get('/api/admin/users', { token })
    t.equal(refused.status, 403)
    t.equal(refused.body.code, 'FORBIDDEN')
    t.equal(refused.headers.get('www-authenticate'), 'Bearer error="insufficient_scope"')
  }
  t.equal((await api.get('/api/admin/users')).status, 401)
  t.equal((await api.get('/api/admin/users', { token: admin })).status, 200)

  t.equal((await api.delete('/api/posts/1', { token: member })).status, 403)
  t.equal((await api.delete('/api/posts/1', { token: moderator })).status, 204)
  t.equal((await api.delete('/api/posts/2', { token: admin })).status, 204)
  t.equal((await api.delete('/api/posts/2', { token: admin })).status, 404)
})
