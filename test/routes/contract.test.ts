import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { users } from '../../src/database/schema.js'
import { holdToContract, documentedRoutes } from '../support/contract.js'
import type { Client } from '../support/client.js'
import { type Person, startKeycard, type KeycardOptions } from '../support/keycard.js'
import { createManualClock } from '../support/manual-clock.js'
import { basic, introspect, revoke } from '../support/oauth-calls.js'
import { issueClient, registerAdmin } from '../support/operators.js'
import { createTestDatabase } from '../support/postgres.js'
import { logIn, me, refresh, tokensOf, verdict } from '../support/session-calls.js'
import { startTcpProxy } from '../support/tcp-proxy.js'

async function startHeld(t: Test, options?: KeycardOptions) {
  const keycard = await startKeycard(t, options)
  return { keycard, client: await holdToContract(t, keycard) }
}

/** Asks each route for accounts, nodes and what was revoked. */
async function administer(client: Client, { accessToken: token }: Pick<Person, 'accessToken'>) {
  const grace = { email: 'grace@example.com', password: 'a moth in relay 70', name: 'Grace' }
  const made = await client.post('/api/admin/users', { token, body: { ...grace, roles: ['ops'] } })
  const path = `/api/admin/users/${made.body.user?.id ?? ''}`
  await logIn(client, grace)
  await client.get('/api/admin/users?search=grace&limit=1', { token })
  await client.get(path, { token })
  await client.get(`${path}/sessions`, { token })
  await client.patch(path, { token, body: { name: 'Grace Hopper' } })
  await client.patch(path, { token, body: { roles: [], disabled: true } })
  await client.delete(path, { token })
  await client.get('/api/admin/revocations?limit=1', { token })
  await client.get('/api/admin/nodes', { token })
}

t.test('every route answers what it promises', async (t) => {
  const { keycard, client } = await startHeld(t)
  const ada = { email: 'ada@example.com', password: 'purple-otter-42-lamp', name: 'Ada' }
  await client.post('/api/auth/register', { body: ada })
  const phone = tokensOf(await logIn(client, ada))
  const laptop = tokensOf(await logIn(client, ada))
  await me(client, laptop.accessToken)
  const token = laptop.accessToken
  await client.patch('/api/auth/me', { token, body: { name: 'Ada Lovelace' } })
  await client.get('/api/auth/sessions', { token })
  await client.delete(`/api/auth/sessions/${phone.sessionId}`, { token })
  const newPassword = 'another lamp for the otter'
  await client.post('/api/auth/password', {
    token,
    body: { currentPassword: ada.password, newPassword }
  })
  const renewed = tokensOf(await refresh(client, laptop.refreshToken))
  await client.post('/api/auth/logout', { token: renewed.accessToken })
  const again = tokensOf(await logIn(client, { ...ada, password: newPassword }))
  await client.post('/api/auth/logout-all', { token: again.accessToken })
  const last = tokensOf(await logIn(client, { ...ada, password: newPassword }))
  await client.delete('/api/auth/me', {
    token: last.accessToken,
    body: { password: newPassword }
  })
  const admin = await registerAdmin(keycard)
  const { credentials, id } = await issueClient(client, admin)
  await client.get('/api/admin/clients', { token: admin.accessToken })
  await client.get('/api/admin/audit', { token: admin.accessToken })
  await introspect(client, credentials, admin.accessToken)
  await introspect(client, credentials, admin.refreshToken)
  await introspect(client, credentials, 'garbage')
  await revoke(client, credentials, 'garbage')
  const headers = { authorization: basic(credentials) }
  const node = `/api/nodes/${randomUUID()}`
  const declaration = { mode: 'replica', dataSet: null, leaseMs: 500, epoch: 1 }
  await client.send('PUT', node, { headers, body: declaration })
  await client.post(`${node}/confirm`, { headers, body: { epoch: 1 } })
  await client.post(`${node}/log`, { headers, body: {} })
  await client.delete(node, { headers })
  await client.delete(`/api/admin/clients/${id}`, { token: admin.accessToken })
  const incidents = '/api/admin/incidents'
  const cohort = { target: { kind: 'cohort', keyId: 'no such key' }, reason: 'key leaked' }
  const asAdmin = { token: admin.accessToken }
  await client.post(incidents, { ...asAdmin, body: { ...cohort, dryRun: true } })
  const { body } = await client.post(incidents, { ...asAdmin, body: cohort })
  const incident = `${incidents}/${body.incident?.id ?? ''}`
  await client.post(`${incident}/stop`, asAdmin)
  await client.post(`${incident}/resume`, asAdmin)
  await client.get(incident, asAdmin)
  await client.get(incidents, asAdmin)
  await client.post('/api/admin/revocations', {
    token: admin.accessToken,
    body: { target: { kind: 'everyone', confirm: 'everyone' }, reason: 'end of the day' }
  })
  const chief = await registerAdmin(keycard)
  await administer(client, chief)
  await client.get('/.well-known/jwks.json')
  await client.get('/.well-known/oauth-authorization-server')
  await client.get('/health/live')
  await client.get('/health/ready')

  const routes = await documentedRoutes(keycard)
  t.same(
    [...client.successes].sort(),
    routes.map(({ method, path }) => `${method} ${path}`).sort(),
    'and each was asked'
  )
})

t.test('every error of a request that the caller can mend', async (t) => {
  const { clock, advanceSeconds } = createManualClock()
  const { keycard, client } = await startHeld(t, { clock })
  const ada = await keycard.register()
  const token = ada.accessToken
  const login = (body: unknown) => client.post('/api/auth/login', { body })
  const { email, password } = ada

  t.equal(verdict(await login({ email, password, admin: true })), 'VALIDATION_FAILED')
  t.equal(verdict(await login({ email, password: 1 })), 'VALIDATION_FAILED')
  t.equal(verdict(await login(undefined)), 'VALIDATION_FAILED')
  t.equal(verdict(await login('{"email":')), 'MALFORMED_BODY')
  t.equal(verdict(await login('{"__proto__":{}}')), 'MALFORMED_BODY')
  t.equal(verdict(await login('{"email":"\\u0000"}')), 'MALFORMED_BODY')
  t.equal(verdict(await login({ email, password: 'wrong' })), 'INVALID_CREDENTIALS')
  t.equal(verdict(await login({ email, password: 'x'.repeat(20_000) })), 'BODY_TOO_LARGE')
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  t.equal(
    verdict(await client.post('/api/auth/login', { body: 'email=a', headers: form })),
    'UNSUPPORTED_MEDIA_TYPE'
  )
  const body = { email, password: 'correct horse battery', name: 'Eve' }
  const register = (body: unknown) => client.post('/api/auth/register', { body })
  t.equal(verdict(await register(body)), 'EMAIL_TAKEN')
  const other = { ...body, email: 'eve@example.com' }
  t.equal(verdict(await register({ ...other, password: 'Password1' })), 'WEAK_PASSWORD')
  t.equal(verdict(await client.get('/api/auth/me')), 'MISSING_TOKEN')
  t.equal(verdict(await me(client, `${token}x`)), 'INVALID_TOKEN')
  const stranger = `/api/auth/sessions/${randomUUID()}`
  t.equal(verdict(await client.delete(stranger, { token })), 'NOT_FOUND')
  t.equal(verdict(await client.get('/api/auth/login')), 'METHOD_NOT_ALLOWED')
  t.equal(verdict(await refresh(client, 'garbage')), 'INVALID_REFRESH_TOKEN')
  const foreign = { cookie: 'keycard_refresh=x', origin: 'https://attacker.example' }
  t.equal(verdict(await client.post('/api/auth/refresh', { headers: foreign })), 'CROSS_ORIGIN')

  const renewed = tokensOf(await refresh(client, ada.refreshToken))
  advanceSeconds(11)
  await refresh(client, renewed.refreshToken)
  t.equal(verdict(await refresh(client, ada.refreshToken)), 'REFRESH_REUSED')
  t.equal(verdict(await me(client, renewed.accessToken)), 'TOKEN_REVOKED')
  advanceSeconds(900)
  t.equal(verdict(await me(client, renewed.accessToken)), 'TOKEN_EXPIRED')

  await keycard.app.database.write((db) =>
    db
      .update(users)
      .set({ disabledAt: new Date(clock()) })
      .where(eq(users.id, ada.id))
  )
  t.equal(verdict(await logIn(client, ada)), 'ACCOUNT_DISABLED')
})

t.test('what is closed, too much or away', async (t) => {
  const url = new URL(await createTestDatabase(t))
  const proxy = await startTcpProxy(t, Number(url.port))
  url.port = String(proxy.port)
  const { keycard, client } = await startHeld(t, {
    databaseUrl: url.href,
    env: {
      RATE_LIMIT: 'on',
      RATE_LIMIT_LOGIN_PER_IP: '1/1m',
      HASH_QUEUE_LIMIT: '1',
      // Slow enough for a crowd to arrive meanwhile.
      ARGON2_MEMORY_KIB: '65536',
      ARGON2_TIME: '4'
    }
  })
  const { client: closed } = await startHeld(t, { env: { REGISTRATION: 'closed' } })
  const body = { email: 'eve@example.com', password: 'correct horse battery', name: 'Eve' }
  t.equal(verdict(await closed.post('/api/auth/register', { body })), 'FORBIDDEN')

  const ada = await keycard.register()
  await logIn(client, ada)
  t.equal(verdict(await logIn(client, ada)), 'RATE_LIMITED')
  const crowd = await Promise.all(
    ['a', 'b', 'c', 'd', 'e', 'f'].map((name) =>
      client.post('/api/auth/register', { body: { ...body, email: `${name}@example.com` } })
    )
  )
  t.same([...new Set(crowd.map(verdict))].sort(), [201, 'OVERLOADED'])

  proxy.retarget(1)
  proxy.cut()
  t.equal(verdict(await me(client, ada.accessToken)), 'DEPENDENCY_UNAVAILABLE')
  t.equal(verdict(await client.get('/health/ready')), 'DEPENDENCY_UNAVAILABLE')
  t.equal(verdict(await client.get('/health/live')), 200)
})
