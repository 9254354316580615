import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { auditPageSize, searchAudit, type AuditFilter } from '../../src/audit/search.js'
import { findUserByEmail } from '../../src/accounts/store.js'
import { createCanary } from '../../src/canary/canary.js'
import { startKeycard } from '../support/keycard.js'
import { createManualClock } from '../support/manual-clock.js'
import { issueClient, registerAdmin, registerAs, setUser } from '../support/operators.js'
import { createTestDatabase } from '../support/postgres.js'
import { startTcpProxy } from '../support/tcp-proxy.js'
import { logIn, refresh, tokensOf, verdict } from '../support/session-calls.js'
import { createAuditLog } from '../support/audit.js'
import { domainOf } from '../support/domain.js'

const root = { email: 'root@example.com', password: 'correct horse battery' }
const ip = '203.0.113.9'
const headers = { 'x-forwarded-for': ip }
const { clock, advanceSeconds } = createManualClock()
const keycard = await startKeycard(t, {
  clock,
  env: {
    TRUST_PROXY: '127.0.0.1',
    BOOTSTRAP_ADMIN_EMAIL: root.email,
    BOOTSTRAP_ADMIN_PASSWORD: root.password
  }
})
const { database } = keycard.app

/** Newest last. Every event of a call comes from its address. */
async function audited(filter: AuditFilter) {
  const { events } = await searchAudit(database, { limit: auditPageSize.max, ...filter })
  return [...events].reverse().map(({ action, outcome, actor, subject, reason, ...rest }) => ({
    what: `${action} ${outcome}`,
    actor,
    subject,
    reason,
    ...rest
  }))
}

/** All that was audited from now on. */
function listen() {
  advanceSeconds(1)
  const since = new Date(clock())
  return () => audited({ since })
}

type Audited = Awaited<ReturnType<typeof audited>>

/** These and no others, in this order. */
function assertEvents(t: Test, found: Audited, expected: readonly object[]): void {
  t.match(found, expected)
  t.equal(found.length, expected.length, `${expected.length} events`)
}

const user = (id: string) => ({ kind: 'user', id })
const account = (id: string) => ({ kind: 'account', id })
const session = (id: string) => ({ kind: 'session', id })
const nobody = { kind: 'nobody', id: null }

async function registerFrom() {
  const body = {
    email: `${randomUUID()}@example.com`,
    password: 'correct horse battery',
    name: 'Ada',
    tokenDelivery: 'body'
  }
  const answer = await keycard.post('/api/auth/register', { headers, body })
  return { ...body, id: answer.body.user?.id ?? '', ...tokensOf(answer) }
}

const logInFrom = (email: string, password: string) =>
  keycard.post('/api/auth/login', { headers, body: { email, password, tokenDelivery: 'body' } })

t.test('the first admin is made by the service', async (t) => {
  const admin = await database.read((db) => findUserByEmail(db, root.email))
  const id = admin?.id ?? ''
  assertEvents(t, await audited({ action: 'account.created' }), [
    {
      what: 'account.created success',
      actor: { kind: 'service', id: null },
      subject: account(id),
      userId: id,
      ip: null,
      reason: 'the first admin',
      details: { roles: ['admin'] }
    }
  ])
})

t.test('an account from its beginning to its end', async (t) => {
  const heard = listen()
  const ada = await registerFrom()
  const { id: userId, password } = ada
  const token = ada.accessToken
  await keycard.patch('/api/auth/me', { headers, token, body: {} })
  await keycard.patch('/api/auth/me', { headers, token, body: { name: 'Ada Lovelace' } })
  const change = (currentPassword: string) =>
    keycard.post('/api/auth/password', {
      headers,
      token,
      body: { currentPassword, newPassword: 'another horse battery' }
    })
  await change('wrong horse battery')
  await change(password)
  const last = tokensOf(await logInFrom(ada.email, 'another horse battery'))
  const remove = (given: string) =>
    keycard.delete('/api/auth/me', {
      headers,
      token: last.accessToken,
      body: { password: given }
    })
  await remove(password)
  await remove('another horse battery')

  const common = { actor: user(userId), userId, ip }
  const about = { ...common, subject: account(userId) }
  assertEvents(t, await heard(), [
    { ...about, what: 'account.registered success', reason: null },
    {
      ...common,
      what: 'session.opened success',
      subject: session(ada.sessionId),
      reason: 'registration'
    },
    { ...about, what: 'account.renamed success', reason: null },
    { ...about, what: 'account.password_changed refused', reason: 'wrong password' },
    { ...about, what: 'account.password_changed success', reason: null },
    { ...common, what: 'user.revoked success', reason: 'password changed' },
    {
      ...common,
      what: 'session.opened success',
      subject: session(last.sessionId),
      reason: 'login'
    },
    { ...about, what: 'account.deleted refused', reason: 'wrong password' },
    { ...about, what: 'account.deleted success', reason: null },
    { ...common, what: 'user.revoked success', reason: 'account deleted' }
  ])
  t.equal(
    (await audited({ subject: userId })).length,
    10,
    'all of it is found by the account, which is gone'
  )
})

t.test('a refused login says why to the audit alone', async (t) => {
  const ada = await registerFrom()
  const heard = listen()
  await logInFrom(ada.email, 'wrong horse battery')
  await logInFrom(`${randomUUID()}@example.com`, ada.password)
  await setUser(keycard, ada.id, { disabledAt: new Date() })
  t.equal(verdict(await logInFrom(ada.email, ada.password)), 'ACCOUNT_DISABLED')
  const common = { what: 'session.opened refused', actor: nobody, subject: null, ip, details: null }
  assertEvents(t, await heard(), [
    { ...common, userId: ada.id, reason: 'wrong password' },
    { ...common, userId: null, reason: 'unknown e-mail' },
    { ...common, userId: ada.id, reason: 'account disabled' }
  ])
})

t.test('a refresh token that comes back says which one it was, once', async (t) => {
  for (const [refreshes, pauseSeconds, reason] of [
    [2, 0, 'an older token'],
    [1, 11, 'the previous token, after its grace']
  ] as const) {
    const ada = await registerFrom()
    const heard = listen()
    let next = ada.refreshToken
    for (let count = 0; count < refreshes; count++) {
      next = tokensOf(await refresh(keycard, next)).refreshToken
    }
    t.same(await heard(), [], 'a refresh that goes well is not audited')
    advanceSeconds(pauseSeconds)
    const reuse = () =>
      keycard.post('/api/auth/refresh', { headers, body: { refreshToken: ada.refreshToken } })
    t.equal(verdict(await reuse()), 'REFRESH_REUSED')
    t.equal(verdict(await reuse()), 'REFRESH_REUSED')
    const common = { actor: nobody, subject: session(ada.sessionId), userId: ada.id, ip }
    assertEvents(t, await heard(), [
      {
        ...common,
        what: 'session.refresh_reused refused',
        reason,
        details: { counter: 0, currentCounter: refreshes }
      },
      { ...common, what: 'session.revoked success', reason: 'refresh token reused' }
    ])
  }
})

t.test('a client is registered and revoked by an admin, once', async (t) => {
  const admin = await registerAdmin(keycard)
  const token = admin.accessToken
  const heard = listen()
  const client = await issueClient(keycard, admin)
  for (const attempt of [1, 2]) {
    const answer = await keycard.delete(`/api/admin/clients/${client.id}`, { headers, token })
    t.equal(answer.status, 204, `attempt ${attempt}`)
  }
  await keycard.delete(`/api/admin/clients/${randomUUID()}`, { headers, token })
  const common = { actor: user(admin.id), subject: { kind: 'client', id: client.id } }
  assertEvents(t, await heard(), [
    { ...common, what: 'client.registered success', ip: '127.0.0.1' },
    { ...common, what: 'client.revoked success', ip }
  ])
})

t.test('what is refused for the role is audited, and a flood of it is not', async (t) => {
  const [nobody, downgraded, disabled] = [
    await keycard.register(),
    await registerAdmin(keycard),
    await registerAdmin(keycard)
  ]
  await setUser(keycard, downgraded.id, { roles: ['user'] })
  await setUser(keycard, disabled.id, { disabledAt: new Date() })
  const heard = listen()
  const ask = ({ accessToken }: { accessToken: string }) =>
    keycard.get('/api/admin/clients?x=1', { headers, token: accessToken })
  const path = `/api/admin/clients/${randomUUID()}`
  await keycard.delete(path, { headers, token: nobody.accessToken })
  for (let count = 0; count < 10; count++) await ask(nobody)
  await ask(downgraded)
  await ask(disabled)
  await keycard.get('/api/admin/clients', { headers })
  const refused = (id: string, route: string, reason: string) => ({
    what: 'admin.refused refused',
    actor: user(id),
    subject: { kind: 'route', id: route },
    userId: id,
    ip,
    reason
  })
  const list = 'GET /api/admin/clients'
  const expected = [
    refused(nobody.id, 'DELETE /api/admin/clients/:id', 'no administrator'),
    refused(downgraded.id, list, 'no administrator any more'),
    refused(disabled.id, list, 'disabled')
  ]
  assertEvents(t, await heard(), expected)
  t.equal(keycard.log.filter((line) => line.includes('"admin.refused"')).length, 13)
  advanceSeconds(60)
  await ask(nobody)
  assertEvents(t, await heard(), [...expected, refused(nobody.id, list, 'no administrator')])
})

t.test('the flood of many accounts is bounded as well', async (t) => {
  advanceSeconds(60)
  const heard = listen()
  const card = await keycard.register()
  const verified = keycard.accessTokens.verify(card.accessToken)
  if (verified.kind !== 'valid') throw new Error('The token is no good')
  const { sid, ver, gen } = verified.claims
  for (let count = 0; count < 120; count++) {
    const { token } = keycard.accessTokens.issue({
      userId: randomUUID(),
      sessionId: sid,
      version: ver,
      generation: gen,
      roles: [],
      asOfMs: clock()
    })
    await keycard.get('/api/admin/clients', { token })
  }
  const refusals = (await heard()).filter(({ what }) => what.startsWith('admin.refused'))
  t.ok(refusals.length <= 100, `${refusals.length}`)
})

t.test('nobody is told of the canary', async (t) => {
  const { sessions } = domainOf(keycard, { clock })
  const heard = listen()
  const parts = { database, sessions, targets: [keycard.url], clock, log: createAuditLog() }
  t.same(await createCanary(parts).fly(), { liars: [], silent: [] })
  t.same(await heard(), [])
})

t.test('no event holds a secret, an address of mail or a name', async (t) => {
  const ada = await registerFrom()
  await registerAs(keycard, ['moderator'])
  const { events } = await searchAudit(database, { limit: auditPageSize.max })
  t.ok(events.length > 30)
  const rows = JSON.stringify(events)
  for (const secret of [
    '@',
    'Ada',
    'horse',
    '$argon2',
    'eyJ',
    'kc_',
    ada.refreshToken.slice(0, 20),
    ada.accessToken
  ]) {
    t.notOk(rows.includes(secret), secret)
  }
})

t.test('a change that does not happen leaves no event, nor the other way round', async (t) => {
  const ada = await registerFrom()
  const heard = listen()
  await keycard.post('/api/auth/register', { body: { ...ada, name: 'Eve', id: undefined } })
  const { accounts } = domainOf(keycard, { clock })
  const origin = { actor: { kind: 'nobody' }, ip: null } as const
  t.equal(await accounts.rename(randomUUID(), 'Eve', origin), undefined)
  t.same(await heard(), [])

  await database.write((db) => db.execute('alter table audit_events rename to lost'))
  t.equal((await logIn(keycard, ada)).status, 500)
  t.equal((await logIn(keycard, { ...ada, password: 'wrong horse battery' })).status, 500)
  const token = ada.accessToken
  const renamed = await keycard.patch('/api/auth/me', { token, body: { name: 'Eve' } })
  t.equal(renamed.status, 500)
  await database.write((db) => db.execute('alter table lost rename to audit_events'))
  const me = await keycard.get('/api/auth/me', { token })
  t.equal(me.body.user?.name, 'Ada', 'what can not be audited is not done')
  const { body } = await keycard.get('/api/auth/sessions', { token })
  t.equal(body.sessions?.length, 1)
})

t.test('a refused login and an unknown one fail alike while Postgres is away', async (t) => {
  const url = new URL(await createTestDatabase(t))
  const proxy = await startTcpProxy(t, Number(url.port))
  url.port = String(proxy.port)
  const node = await startKeycard(t, { databaseUrl: url.href })
  const person = await node.register()
  proxy.retarget(1)
  proxy.cut()
  const answers = [
    await logIn(node, { ...person, password: 'wrong horse battery' }),
    await logIn(node, { ...person, email: 'nobody@example.com' })
  ]
  t.same(answers.map(verdict), ['DEPENDENCY_UNAVAILABLE', 'DEPENDENCY_UNAVAILABLE'])
})
