import { randomUUID } from 'node:crypto'
import t from 'tap'
import { findUser } from '../../src/accounts/store.js'
import { startKeycard } from '../support/keycard.js'
import { createManualClock } from '../support/manual-clock.js'
import {
  assertDead,
  assertLives,
  logIn,
  me,
  refresh,
  tokensOf,
  verdict
} from '../support/session-calls.js'

const { clock, advanceSeconds } = createManualClock()
const keycard = await startKeycard(t, { clock })

const rowOf = (id: string) => keycard.app.database.read((db) => findUser(db, id))

t.test('an account is shown to its owner, without a hash, a version or a flag', async (t) => {
  const { id, email, name, accessToken } = await keycard.register()
  const answer = await me(keycard, accessToken)
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('cache-control'), 'no-store')
  t.same(answer.body, {
    user: {
      id,
      email,
      name,
      roles: [],
      emailVerified: false,
      createdAt: new Date(clock()).toISOString()
    }
  })
})

t.test('it is not shown without a token, nor with one in the wrong place', async (t) => {
  const { accessToken } = await keycard.register()
  const missing = await keycard.get('/api/auth/me')
  t.equal(verdict(missing), 'MISSING_TOKEN')
  t.equal(missing.headers.get('www-authenticate'), 'Bearer')
  for (const [path, headers] of [
    [`/api/auth/me?access_token=${accessToken}`, {}],
    ['/api/auth/me', { cookie: `access_token=${accessToken}; token=${accessToken}` }],
    ['/api/auth/me', { authorization: `Basic ${accessToken}` }],
    ['/api/auth/me', { authorization: accessToken }],
    ['/api/auth/me', { 'x-access-token': accessToken }]
  ] as const) {
    t.equal(verdict(await keycard.get(path, { headers: { ...headers } })), 'MISSING_TOKEN')
  }
  advanceSeconds(900)
  const expired = await me(keycard, accessToken)
  t.equal(verdict(expired), 'TOKEN_EXPIRED')
  t.equal(expired.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
})

t.test('the name can be changed, and only the name', async (t) => {
  const { id, accessToken: token } = await keycard.register()
  const before = await rowOf(id)
  const rename = (body: unknown) => keycard.patch('/api/auth/me', { token, body })

  const renamed = await rename({ name: 'Ada Lovelace \u{1F469}' })
  t.equal(renamed.status, 200)
  t.equal(renamed.body.user?.name, 'Ada Lovelace \u{1F469}')
  t.same((await me(keycard, token)).body, renamed.body)
  t.same((await rename({})).body, renamed.body, 'nothing to change is no error')

  for (const [field, value] of Object.entries({
    roles: ['admin'],
    email: 'eve@example.com',
    emailVerified: true,
    id: randomUUID(),
    tokenVersion: 9,
    password: 'another horse battery',
    passwordHash: 'x',
    disabledAt: null,
    createdAt: '2020-01-01T00:00:00Z'
  })) {
    t.equal(verdict(await rename({ name: 'Eve', [field]: value })), 'VALIDATION_FAILED', field)
  }
  for (const name of ['', 5, null, ['Eve'], 'x'.repeat(201), 'a\u001fb']) {
    t.equal(verdict(await rename({ name })), 'VALIDATION_FAILED')
  }
  t.equal(verdict(await rename('{"__proto__":{"roles":["admin"]}}')), 'MALFORMED_BODY')
  t.equal(verdict(await rename('{"name":"a","name":"b"}')), 'MALFORMED_BODY')
  t.same(await rowOf(id), {
    ...before,
    name: 'Ada Lovelace \u{1F469}',
    updatedAt: new Date(clock())
  })
})

t.test('a wrong password deletes nothing', async (t) => {
  const person = await keycard.register()
  const token = person.accessToken
  for (const [body, expected] of [
    [{ password: 'wrong horse battery' }, 'INVALID_CREDENTIALS'],
    [{ password: '' }, 'INVALID_CREDENTIALS'],
    [{}, 'VALIDATION_FAILED'],
    [{ password: person.password, id: randomUUID() }, 'VALIDATION_FAILED']
  ] as const) {
    t.equal(verdict(await keycard.delete('/api/auth/me', { token, body })), expected)
  }
  t.equal(verdict(await keycard.delete('/api/auth/me', { token })), 'VALIDATION_FAILED')
  await assertLives(t, keycard, person)
})

t.test('a deletion ends everything of the account and frees its e-mail address', async (t) => {
  const person = await keycard.register()
  const bystander = await keycard.register()
  const elsewhere = tokensOf(await logIn(keycard, person))
  const moved = tokensOf(await refresh(keycard, elsewhere.refreshToken))
  const { email, password } = person

  const ask = { token: person.accessToken, body: { password } }
  const answer = await keycard.delete('/api/auth/me', ask)
  t.equal(answer.status, 204)
  t.equal(answer.text, '')
  for (const tokens of [person, elsewhere, moved]) await assertDead(t, keycard, tokens)
  t.equal(await rowOf(person.id), undefined)
  t.equal(verdict(await logIn(keycard, person)), 'INVALID_CREDENTIALS')
  t.equal(verdict(await keycard.delete('/api/auth/me', ask)), 'TOKEN_REVOKED')

  const again = await keycard.register({ email, password: 'another horse battery' })
  t.not(again.id, person.id)
  await assertDead(t, keycard, person)
  await assertLives(t, keycard, again)
  await assertLives(t, keycard, bystander)
})
