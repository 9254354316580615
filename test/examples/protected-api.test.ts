import t, { type Test } from 'tap'
import { eventually } from '../support/eventually.js'
import { type Guarded, startGuarded } from '../support/guarded-api.js'
import { registerAs } from '../support/operators.js'

/** Keycard, and somebody else's Fastify app with the guard. */
async function startBoth(t: Test, ttlSeconds = 900): Promise<Pick<Guarded, 'keycard' | 'api'>> {
  return await startGuarded(t, {
    keycard: { env: { ACCESS_TOKEN_TTL: `${ttlSeconds}s` } },
    guard: { accessTokenTtlSeconds: ttlSeconds }
  })
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
  const { api, keycard } = await startBoth(t, 2)
  const { accessToken, refreshToken } = await keycard.register()
  const visit = () => api.get('/api/profile', { token: accessToken })
  await eventually('it expires', async () => (await visit()).status !== 200)
  const expired = await visit()
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
  const member = (await registerAs(keycard, [])).accessToken
  const moderator = (await registerAs(keycard, ['moderator'])).accessToken
  const admin = (await registerAs(keycard, ['admin'])).accessToken

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
