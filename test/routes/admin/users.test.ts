import { randomUUID } from 'node:crypto'
import t from 'tap'
import { holdToContract } from '../../support/contract.js'
import { startKeycard } from '../../support/keycard.js'
import { registerAdmin, setUser } from '../../support/operators.js'
import { logIn, verdict } from '../../support/session-calls.js'
import {
  administration,
  auditOf,
  newPerson,
  userOf,
  userRow
} from '../../support/user-administration.js'

const keycard = await startKeycard(t)
const client = await holdToContract(t, keycard)
const admin = await registerAdmin(keycard)
const users = administration(client, admin)

/** Whatever a client may want to set and must not. */
const unknownFields = {
  id: randomUUID(),
  tokenVersion: 99,
  token_version: 99,
  passwordHash: '$2b$10$x',
  emailVerified: true,
  emailVerifiedAt: '2026-01-01T00:00:00Z',
  disabledAt: null,
  createdAt: '2020-01-01T00:00:00Z',
  role: 'admin',
  isAdmin: true,
  comment: 'none',
  _method: 'DELETE'
}

const wrongRoles = [
  'admin',
  null,
  [1],
  [null],
  [['admin']],
  [''],
  ['Admin'],
  ['admin '],
  ['admin\n'],
  ['1st'],
  ['a b'],
  ['é'],
  ['a'.repeat(33)],
  ['admin', 'admin'],
  { 0: 'admin', length: 1 },
  Array.from({ length: 17 }, (_, index) => `role${index}`)
]

t.test('an account is opened, and its owner logs in', async (t) => {
  const grace = newPerson({ email: `Grace-${randomUUID()}@Example.COM` })
  const answer = await users.create({ ...grace, roles: ['ops', 'billing', 'a-b_1'] })
  t.equal(answer.status, 201)
  const user = userOf(answer)
  t.same(Object.keys(answer.body), ['user'])
  t.match(user, {
    email: grace.email.toLowerCase(),
    name: grace.name,
    roles: ['a-b_1', 'billing', 'ops'],
    emailVerified: false,
    disabled: false
  })
  t.equal(answer.headers.get('cache-control'), 'no-store')
  t.same((await users.read(user.id)).body, answer.body)
  const login = await logIn(keycard, grace)
  t.equal(login.status, 200)
  t.same({ ...login.body.user, disabled: false }, user)
  t.notOk('disabled' in userOf(login), 'its owner sees no flag')
  for (const line of keycard.log) if (line.includes(grace.password)) t.fail(line)

  t.match(await auditOf(keycard, user.id), [
    {
      action: 'account.created',
      outcome: 'success',
      actorKind: 'user',
      actor: admin.id,
      subject: user.id,
      ip: '127.0.0.1',
      details: { roles: user.roles }
    }
  ])
})

t.test('a new account obeys the rules of a registration', async (t) => {
  const known = await keycard.register()
  const body = newPerson()
  t.equal(verdict(await users.create({ ...body, email: known.email })), 'EMAIL_TAKEN')
  t.equal(verdict(await users.create({ ...body, email: known.email.toUpperCase() })), 'EMAIL_TAKEN')
  for (const password of ['short', 'Password1', body.email, 'x'.repeat(257)]) {
    t.equal(verdict(await users.create({ ...body, password })), 'WEAK_PASSWORD', password)
  }
  for (const name of ['', ' ', 'a\nb', 'a\u202eb', 'x'.repeat(201), 1, null]) {
    t.equal(verdict(await users.create({ ...body, name })), 'VALIDATION_FAILED', String(name))
  }
  for (const email of ['', 'x', 'a@b@c', [body.email], `${'x'.repeat(250)}@x.example`]) {
    t.equal(verdict(await users.create({ ...body, email })), 'VALIDATION_FAILED', String(email))
  }
  const { email } = body
  t.match((await users.list({ search: email })).body, { users: [] }, 'and nothing was made')
})

t.test('of twenty that open the same account at once one does', async (t) => {
  const body = newPerson()
  const answers = await Promise.all(Array.from({ length: 20 }, () => users.create(body)))
  t.same(
    answers.map(verdict).filter((came) => came !== 'EMAIL_TAKEN'),
    [201]
  )
})

t.test('roles have a shape, for whoever sets them', async (t) => {
  const { id } = await keycard.register()
  for (const roles of wrongRoles) {
    const what = JSON.stringify(roles).slice(0, 60)
    t.equal(verdict(await users.change(id, { roles })), 'VALIDATION_FAILED', what)
    t.equal(verdict(await users.create({ ...newPerson(), roles })), 'VALIDATION_FAILED', what)
  }
  t.match(await userRow(keycard, id), { roles: [], tokenVersion: 1 })
  const most = Array.from({ length: 16 }, (_, index) => `${'r'.repeat(30)}${10 + index}`)
  t.same(userOf(await users.change(id, { roles: most })).roles, most)
})

t.test('what nobody may set is refused, not dropped', async (t) => {
  const { id } = await keycard.register()
  const before = await userRow(keycard, id)
  for (const [field, value] of Object.entries(unknownFields)) {
    const change = await users.change(id, { name: 'Eve', [field]: value })
    t.equal(verdict(change), 'VALIDATION_FAILED', field)
    const creation = await users.create({ ...newPerson(), [field]: value })
    t.equal(verdict(creation), 'VALIDATION_FAILED', field)
  }
  for (const body of [
    '{"name":"Eve","__proto__":{"roles":["admin"]}}',
    '{"name":"Eve","constructor":{"prototype":{"roles":["admin"]}}}'
  ]) {
    t.equal(verdict(await users.change(id, body)), 'MALFORMED_BODY')
    t.equal(verdict(await users.create(body)), 'MALFORMED_BODY')
  }
  for (const body of [
    [],
    [{ name: 'Eve' }],
    'null',
    '"name"',
    { email: 'eve@example.com' },
    { password: 'correct horse battery' },
    { disabled: 'true' },
    { disabled: 1 },
    { disabled: null },
    { name: null },
    { reason: null },
    { disabled: true, reason: 'x'.repeat(10_000) }
  ]) {
    t.equal(verdict(await users.change(id, body)), 'VALIDATION_FAILED', JSON.stringify(body))
  }
  t.same(await userRow(keycard, id), before)
})

t.test('each change is audited, and a change that is none is not', async (t) => {
  const { id } = await keycard.register()
  await users.change(id, {})
  await users.change(id, { name: 'Grace', roles: ['ops'], disabled: true })
  await users.change(id, { name: 'Grace', roles: ['ops'], disabled: true })
  await users.change(id, { disabled: false })
  await users.remove(id)
  const events = await auditOf(keycard, id)
  const ofAdmin = events.filter(({ actor }) => actor === admin.id)
  t.same(
    ofAdmin.map(({ action }) => action),
    [
      'account.renamed',
      'account.roles_changed',
      'account.disabled',
      'user.revoked',
      'account.enabled',
      'account.deleted',
      'user.revoked'
    ]
  )
  t.match(ofAdmin, [{}, { details: { from: [], to: ['ops'] } }, {}, { reason: 'account disabled' }])
  t.notMatch(JSON.stringify(events), '@example.com')
})

t.test('another order of the same roles is no change', async (t) => {
  const { id } = await keycard.register()
  await setUser(keycard, id, { roles: ['b', 'a'] })
  const before = await userRow(keycard, id)
  const answer = await users.change(id, { roles: ['a', 'b'], disabled: false })
  t.equal(answer.body.receipt, null)
  t.same(await userRow(keycard, id), before)
})

t.test('the sessions of an account are those that are alive', async (t) => {
  const ada = await keycard.register()
  const own = await keycard.get('/api/auth/sessions', { token: ada.accessToken })
  const answer = await users.sessions(ada.id)
  t.same(
    answer.body.sessions,
    own.body.sessions?.map((session) => ({ ...session, current: false })),
    'as their owner sees them'
  )
  const mine = await users.sessions(admin.id)
  t.same(
    mine.body.sessions?.filter(({ current }) => current).map(({ id }) => id),
    [admin.sessionId]
  )
  await users.change(ada.id, { disabled: true })
  t.same((await users.sessions(ada.id)).body.sessions, [])
})

t.test('whom nobody knows is not found', async (t) => {
  const { id } = await keycard.register()
  for (const unknown of [randomUUID(), admin.sessionId, id.toUpperCase(), 'x', '%2e', '1%27--']) {
    for (const answer of [
      await users.read(unknown),
      await users.change(unknown, { name: 'Eve' }),
      await users.remove(unknown),
      await users.sessions(unknown)
    ]) {
      t.equal(verdict(answer), 'NOT_FOUND', unknown)
    }
  }
})

t.test('the last administrator stays', async (t) => {
  const other = await registerAdmin(keycard)
  await setUser(keycard, other.id, { disabledAt: new Date() })
  const before = await userRow(keycard, admin.id)
  for (const body of [{ roles: [] }, { roles: ['ops'] }, { disabled: true }]) {
    const change = { ...body, name: 'Nobody' }
    t.equal(verdict(await users.change(admin.id, change)), 'LAST_ADMIN', JSON.stringify(body))
  }
  t.equal(verdict(await users.remove(admin.id)), 'LAST_ADMIN')
  const { accessToken: token, password } = admin
  const own = await client.delete('/api/auth/me', { token, body: { password } })
  t.equal(verdict(own), 'LAST_ADMIN')
  t.same(await userRow(keycard, admin.id), before, 'nothing happened')

  t.equal(verdict(await users.change(admin.id, { roles: ['admin', 'ops'] })), 200)
  t.equal(verdict(await users.read(admin.id)), 'TOKEN_REVOKED', 'new roles are new roles')
})
