import t from 'tap'
import { deleteUser } from '../../src/accounts/store.js'
import { startNodes } from '../support/deployment.js'
import { startKeycard } from '../support/keycard.js'
import { createManualClock } from '../support/manual-clock.js'
import { nobody } from '../support/origin.js'
import { startRedis } from '../support/redis.js'
import { revocationsOf } from '../support/revocation-rows.js'
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

t.test('logout ends this session and no other, again is no error', async (t) => {
  const person = await keycard.register()
  const elsewhere = tokensOf(await logIn(keycard, person))
  for (const attempt of ['first', 'second']) {
    const answer = await keycard.post('/api/auth/logout', { token: person.accessToken })
    t.equal(answer.status, 204, attempt)
    t.equal(answer.text, '')
    await assertDead(t, keycard, person)
  }
  await assertLives(t, keycard, elsewhere)
})

t.test('any genuine token of a session logs it out, an old one too', async (t) => {
  const first = await keycard.register()
  const second = tokensOf(await refresh(keycard, first.refreshToken))
  const third = tokensOf(await refresh(keycard, second.refreshToken))
  const body = { refreshToken: first.refreshToken }
  t.equal((await keycard.post('/api/auth/logout', { body })).status, 204)
  await assertDead(t, keycard, third)
  t.equal((await keycard.post('/api/auth/logout', { body })).status, 204)
  t.equal((await keycard.post('/api/auth/logout', { token: first.accessToken })).status, 204)
})

t.test('an access token that has expired needs the refresh token to log out', async (t) => {
  const person = await keycard.register()
  advanceSeconds(900)
  const token = person.accessToken
  t.equal(verdict(await keycard.post('/api/auth/logout', { token })), 'TOKEN_EXPIRED')
  const body = { refreshToken: person.refreshToken }
  t.equal((await keycard.post('/api/auth/logout', { token, body })).status, 204)
  t.equal(verdict(await refresh(keycard, person.refreshToken)), 'INVALID_REFRESH_TOKEN')
})

t.test('logout with nothing, or with what is no token, is refused', async (t) => {
  const nothing = await keycard.post('/api/auth/logout')
  t.equal(verdict(nothing), 'MISSING_TOKEN')
  t.equal(nothing.headers.get('www-authenticate'), 'Bearer')
  const garbage = await keycard.post('/api/auth/logout', { token: 'x' })
  t.equal(verdict(garbage), 'INVALID_TOKEN')
  t.equal(garbage.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
})

t.test('logout everywhere ends all sessions of one account and says so', async (t) => {
  const person = await keycard.register()
  const bystander = await keycard.register()
  const others = [tokensOf(await logIn(keycard, person)), tokensOf(await logIn(keycard, person))]
  const answer = await keycard.post('/api/auth/logout-all', { token: person.accessToken })
  t.equal(answer.status, 200)
  t.match(answer.body, {
    tokenVersion: 2,
    receipt: { guarantee: 'applied', nodes: [{ appliedAfterMs: Number }] }
  })
  for (const tokens of [person, ...others]) await assertDead(t, keycard, tokens)
  await assertLives(t, keycard, bystander)
  const fresh = tokensOf(await logIn(keycard, person))
  const second = await keycard.post('/api/auth/logout-all', { token: fresh.accessToken })
  t.equal(second.body.tokenVersion, 3)
})

t.test('a token that was revoked is accepted by no route', async (t) => {
  const person = await keycard.register()
  await keycard.post('/api/auth/logout-all', { token: person.accessToken })
  const token = person.accessToken
  const passwords = { currentPassword: person.password, newPassword: 'another horse battery' }
  const answers = [
    await keycard.get('/api/auth/me', { token }),
    await keycard.patch('/api/auth/me', { token, body: { name: 'Eve' } }),
    await keycard.delete('/api/auth/me', { token, body: { password: person.password } }),
    await keycard.get('/api/auth/sessions', { token }),
    await keycard.delete(`/api/auth/sessions/${person.sessionId}`, { token }),
    await keycard.post('/api/auth/password', { token, body: passwords }),
    await keycard.post('/api/auth/logout-all', { token })
  ]
  t.same(new Set(answers.map(verdict)), new Set(['TOKEN_REVOKED']))
  const again = tokensOf(await logIn(keycard, person))
  t.equal(verdict(await me(keycard, again.accessToken)), 200)
})

t.test(
  'the session of an account that is just being deleted is dead when logout says so',
  async (t) => {
    const redis = await startRedis(t)
    const nodes = await startNodes(t, 2, { redisUrl: redis.url })
    const [node] = nodes
    const person = await node.register()
    const { revocation, database } = node.app
    // Committed, and whoever did it has told nobody yet.
    await database.transaction(async (tx) => {
      await deleteUser(tx, { id: person.id, tokenVersion: 1 })
      const order = { kind: 'user', target: person.id, level: 2 } as const
      await revocation.record(tx, order, { reason: 'account deleted', origin: nobody })
    })
    const token = person.accessToken
    for (const attempt of ['first', 'second']) {
      t.equal((await node.post('/api/auth/logout', { token })).status, 204, attempt)
      for (const each of nodes) {
        t.equal(verdict(await me(each, token)), 'TOKEN_REVOKED')
        // Not for want of the account, which this route finds out as well: it was the guard.
        t.equal(each.app.revocation.decisions().replica.live, 0)
      }
    }
    t.equal((await revocationsOf(node, person.sessionId)).length, 1, 'it was recorded once')
  }
)
