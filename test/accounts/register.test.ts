import { randomUUID } from 'node:crypto'
import t from 'tap'
import { findUserByEmail } from '../../src/accounts/store.js'
import { startKeycard } from '../support/keycard.js'
import { logIn, me, refresh, verdict } from '../support/session-calls.js'

const keycard = await startKeycard(t)
const password = 'correct horse battery'

const register = (body: unknown) => keycard.post('/api/auth/register', { body })
const newEmail = () => `${randomUUID()}@example.com`
const stored = (email: string) => keycard.app.database.read((db) => findUserByEmail(db, email))

t.test('an account comes with a session, and with nothing that it did not ask for', async (t) => {
  const email = newEmail()
  const answer = await register({ email, password, name: 'Ada', tokenDelivery: 'body' })
  t.equal(answer.status, 201)
  t.equal(answer.headers.get('cache-control'), 'no-store')
  t.same(answer.cookies, [])
  const { user, accessToken = '', refreshToken = '' } = answer.body
  t.same(Object.keys(answer.body).sort(), [
    'accessToken',
    'expiresIn',
    'refreshToken',
    'sessionId',
    'tokenType',
    'user'
  ])
  t.match(user, { email, name: 'Ada', roles: [], emailVerified: false })
  t.same(Object.keys(user ?? {}).sort(), [
    'createdAt',
    'email',
    'emailVerified',
    'id',
    'name',
    'roles'
  ])
  t.match(user?.id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  t.same((await me(keycard, accessToken)).body, { user })
  t.equal(verdict(await refresh(keycard, refreshToken)), 200)
  t.match(await stored(email), { tokenVersion: 1, roles: [], disabledAt: null })
  t.match((await stored(email))?.passwordHash, /^\$argon2id\$v=19\$m=1024,t=2,p=1\$/)
})

t.test('an e-mail address is taken in any case', async (t) => {
  const name = randomUUID()
  const first = await register({ email: `${name}.X@Example.COM`, password, name: 'Ada' })
  t.equal(first.body.user?.email, `${name}.x@example.com`)
  for (const email of [`${name}.x@example.com`, `${name.toUpperCase()}.X@EXAMPLE.com`]) {
    const answer = await register({ email, password, name: 'Eve' })
    t.equal(verdict(answer), 'EMAIL_TAKEN')
    t.same(answer.cookies, [])
    t.equal(verdict(await logIn(keycard, { email, password })), 200)
  }
})

t.test('nobody gives themselves what only the service gives', async (t) => {
  const email = newEmail()
  const good = { email, password, name: 'Eve' }
  for (const [field, value] of Object.entries({
    roles: ['admin'],
    role: 'admin',
    isAdmin: true,
    id: randomUUID(),
    emailVerified: true,
    emailVerifiedAt: '2026-01-01T00:00:00Z',
    tokenVersion: 0,
    token_version: 0,
    passwordHash: '$argon2id$',
    disabledAt: null,
    createdAt: '2026-01-01T00:00:00Z',
    sessionId: randomUUID(),
    toString: 'x',
    '': 1
  })) {
    const answer = await register({ ...good, [field]: value })
    t.equal(verdict(answer), 'VALIDATION_FAILED', field)
  }
  const text = JSON.stringify(good).slice(0, -1)
  for (const trick of [
    '"__proto__":{"roles":["admin"]}',
    '"\\u005f_proto__":{"roles":["admin"]}',
    '"constructor":{"prototype":{"roles":["admin"]}}',
    '"name":"Mallory"'
  ]) {
    t.equal(verdict(await register(`${text},${trick}}`)), 'MALFORMED_BODY', trick)
  }
  t.equal(await stored(email), undefined)
})

t.test('what is no e-mail address, name or password is refused', async (t) => {
  const good = { email: newEmail(), password, name: 'Ada' }
  for (const [field, value] of [
    ['email', undefined],
    ['email', null],
    ['email', 5],
    ['email', [good.email]],
    ['email', ''],
    ['email', 'ada'],
    ['email', 'ada@'],
    ['email', 'ada@example'],
    ['email', ' ada@example.com'],
    ['email', 'ada@example.com '],
    ['email', 'ada@example.com\r\nbcc: eve@example.com'],
    ['email', 'ada@exam ple.com'],
    ['email', 'Ada <ada@example.com>'],
    ['email', 'ada@example.com,eve@example.com'],
    ['email', 'ad\u0430@example.com'],
    ['email', `${'a'.repeat(250)}@example.com`],
    ['name', undefined],
    ['name', ''],
    ['name', 'Ada\u0007'],
    ['name', 'Ada\n'],
    ['name', 'x'.repeat(201)],
    ['name', { first: 'Ada' }],
    ['password', undefined],
    ['password', null],
    ['password', 12_345_678],
    ['password', [password]],
    ['tokenDelivery', 'url'],
    ['tokenDelivery', null]
  ] as const) {
    const answer = await register({ ...good, [field]: value })
    t.equal(verdict(answer), 'VALIDATION_FAILED', `${field} ${JSON.stringify(value)}`)
    t.match(answer.body.errors, [{ path: `/${field}` }])
    t.notOk(answer.text.includes(password))
  }
  t.equal(verdict(await register({ ...good, name: '\u{1F469}'.repeat(200) })), 201)
})

t.test('a weak password makes no account', async (t) => {
  const email = newEmail()
  for (const weak of [
    '',
    'short12',
    '\u{1F469}'.repeat(7),
    'x'.repeat(257),
    'password',
    'PassWord1',
    'qwertyuiop',
    email,
    email.toUpperCase(),
    email.split('@')[0] ?? '',
    'Ada Lovelace'
  ]) {
    const answer = await register({ email, password: weak, name: 'Ada Lovelace' })
    t.equal(verdict(answer), 'WEAK_PASSWORD', JSON.stringify(weak))
    t.equal(answer.status, 422)
  }
  t.equal(verdict(await register({ email, password: 'x\0yzxyzxyz', name: 'A' })), 'MALFORMED_BODY')
  t.equal(await stored(email), undefined)
})

t.test('the longest password there is counts to its last character', async (t) => {
  const email = newEmail()
  const longest = '\u{1F469}x'.repeat(128)
  t.equal(verdict(await register({ email, password: longest, name: 'Ada' })), 201)
  t.equal(verdict(await logIn(keycard, { email, password: longest })), 200)
  const other = `${longest.slice(0, -1)}y`
  t.equal(verdict(await logIn(keycard, { email, password: other })), 'INVALID_CREDENTIALS')
})

t.test('a deployment that is closed opens no accounts', async (t) => {
  const closed = await startKeycard(t, { env: { REGISTRATION: 'closed' } })
  const body = { email: newEmail(), password, name: 'Ada' }
  const answer = await closed.post('/api/auth/register', { body })
  t.equal(verdict(answer), 'FORBIDDEN')
  t.equal(answer.status, 403)
})
