import t from 'tap'
import { findUser } from '../../src/accounts/store.js'
import { type Person, startKeycard } from '../support/keycard.js'
import {
  assertDead,
  assertLives,
  logIn,
  me,
  refresh,
  tokensOf,
  verdict
} from '../support/session-calls.js'

const keycard = await startKeycard(t)
const newPassword = 'another horse battery'

const change = (token: string, body: unknown) => keycard.post('/api/auth/password', { token, body })
const rowOf = ({ id }: Person) => keycard.app.database.read((db) => findUser(db, id))

t.test('a password change keeps this session and ends every other one', async (t) => {
  const person = await keycard.register()
  const bystander = await keycard.register()
  const others = [tokensOf(await logIn(keycard, person)), tokensOf(await logIn(keycard, person))]

  const body = { currentPassword: person.password, newPassword }
  const answer = await change(person.accessToken, body)
  t.equal(answer.status, 204)
  t.equal(answer.text, '')
  for (const tokens of others) await assertDead(t, keycard, tokens)
  t.equal(verdict(await me(keycard, person.accessToken)), 'TOKEN_REVOKED', 'refresh for a new one')
  const next = tokensOf(await refresh(keycard, person.refreshToken))
  t.equal(next.sessionId, person.sessionId)
  await assertLives(t, keycard, next)
  await assertLives(t, keycard, bystander)

  t.equal(verdict(await logIn(keycard, person)), 'INVALID_CREDENTIALS')
  t.equal(verdict(await logIn(keycard, { ...person, password: newPassword })), 200)
})

t.test('one change after the other, each by the session that goes on', async (t) => {
  const person = await keycard.register()
  let tokens = tokensOf(await logIn(keycard, person))
  const passwords = [person.password, newPassword, 'a third horse battery', person.password]
  for (const [index, currentPassword] of passwords.slice(0, -1).entries()) {
    const body = { currentPassword, newPassword: passwords[index + 1] }
    t.equal(verdict(await change(tokens.accessToken, body)), 204)
    t.equal(verdict(await change(tokens.accessToken, body)), 'TOKEN_REVOKED')
    tokens = tokensOf(await refresh(keycard, tokens.refreshToken))
  }
  t.equal((await rowOf(person))?.tokenVersion, 4)
  await assertDead(t, keycard, person)
  await assertLives(t, keycard, tokens)
})

t.test('the token before the refresh is carried over as well, within the grace', async (t) => {
  const person = await keycard.register()
  const current = tokensOf(await refresh(keycard, person.refreshToken))
  const body = { currentPassword: person.password, newPassword }
  t.equal(verdict(await change(current.accessToken, body)), 204)
  const repeated = tokensOf(await refresh(keycard, person.refreshToken))
  t.equal(repeated.refreshToken, current.refreshToken)
  await assertLives(t, keycard, repeated)
})

t.test('a refused change changes nothing', async (t) => {
  const person = await keycard.register()
  const before = await rowOf(person)
  const right = { currentPassword: person.password, newPassword }
  for (const [body, expected] of [
    [{ ...right, currentPassword: 'wrong horse battery' }, 'INVALID_CREDENTIALS'],
    [{ ...right, currentPassword: '' }, 'INVALID_CREDENTIALS'],
    [{ currentPassword: 'wrong horse battery', newPassword: 'short' }, 'INVALID_CREDENTIALS'],
    [{ ...right, newPassword: 'short' }, 'WEAK_PASSWORD'],
    [{ ...right, newPassword: 'x'.repeat(257) }, 'WEAK_PASSWORD'],
    [{ ...right, newPassword: 'Password123' }, 'WEAK_PASSWORD'],
    [{ ...right, newPassword: person.email.toUpperCase() }, 'WEAK_PASSWORD'],
    [{ currentPassword: person.password }, 'VALIDATION_FAILED'],
    [{ newPassword }, 'VALIDATION_FAILED'],
    [{ ...right, newPassword: [newPassword] }, 'VALIDATION_FAILED'],
    [{ ...right, userId: person.id }, 'VALIDATION_FAILED']
  ] as const) {
    t.equal(verdict(await change(person.accessToken, body)), expected, JSON.stringify(body))
  }
  const nobody = await keycard.post('/api/auth/password', { body: right })
  t.equal(verdict(nobody), 'MISSING_TOKEN')
  t.same(await rowOf(person), before)
  await assertLives(t, keycard, person)
})

t.test(
  'the current password may be typed decomposed, and the new one is kept composed',
  async (t) => {
    const password = 'caf\u00e9 au lait'
    const person = await keycard.register({ password })
    const decomposed = {
      currentPassword: password.normalize('NFD'),
      newPassword: 'cre\u0300me br\u00fble\u0301e'
    }
    t.equal(verdict(await change(person.accessToken, decomposed)), 204)
    const composed = { ...person, password: decomposed.newPassword.normalize('NFC') }
    t.equal(verdict(await logIn(keycard, composed)), 200)
  }
)

t.test('a session that was logged out is not brought back by the change', async (t) => {
  const person = await keycard.register()
  const out = tokensOf(await logIn(keycard, person))
  await keycard.post('/api/auth/logout', { token: out.accessToken })
  const body = { currentPassword: person.password, newPassword }
  t.equal(verdict(await change(out.accessToken, body)), 'TOKEN_REVOKED')
  t.equal(verdict(await change(person.accessToken, body)), 204)
  await assertDead(t, keycard, out)
})
