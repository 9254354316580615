import t from 'tap'
import type { Answer } from '../support/client.js'
import { startNodes } from '../support/deployment.js'
import { eventually } from '../support/eventually.js'
import { bookmark } from '../support/node-log.js'
import { startRedis } from '../support/redis.js'
import { revocationsOf } from '../support/revocation-rows.js'
import { logIn, me, refresh, tokensOf, verdict } from '../support/session-calls.js'
import type { Test } from 'tap'

const env = { REVOCATION_DEADLINE: '400ms', LEASE_MS: '100' }

function assertUnconfirmed(t: Test, answer: Answer, what: string): void {
  t.equal(verdict(answer), 'DEPENDENCY_UNAVAILABLE', what)
  t.equal(answer.status, 503)
  t.match(answer.body.detail, /recorded and not yet confirmed/)
  t.match(answer.headers.get('retry-after'), /^\d+$/)
}

t.test('what is revoked while Redis is away', async (t) => {
  const redis = await startRedis(t)
  const nodes = await startNodes(t, 2, { redisUrl: redis.url, mode: 'redis', env })
  const [node] = nodes
  const newPassword = 'another horse battery'
  const [ada, bob, cleo, dora, eve, finn] = [
    await node.register(),
    await node.register(),
    await node.register(),
    await node.register(),
    await node.register(),
    await node.register()
  ]
  const elsewhere = tokensOf(await logIn(node, cleo))
  const second = tokensOf(await refresh(node, dora.refreshToken))
  const third = tokensOf(await refresh(node, second.refreshToken))
  await redis.kill()

  const calls = {
    logout: () => node.post('/api/auth/logout', { token: ada.accessToken }),
    'logout everywhere': () => node.post('/api/auth/logout-all', { token: bob.accessToken }),
    'the end of another session': () =>
      node.delete(`/api/auth/sessions/${elsewhere.sessionId}`, { token: cleo.accessToken }),
    'the reuse of a refresh token': () => refresh(node, dora.refreshToken)
  }
  const callsThatEndTheirToken = {
    'a new password': () =>
      node.post('/api/auth/password', {
        token: eve.accessToken,
        body: { currentPassword: eve.password, newPassword }
      }),
    'the end of the account': () =>
      node.delete('/api/auth/me', { token: finn.accessToken, body: { password: finn.password } })
  }

  await t.test('is answered 503, recorded and not yet confirmed', async (t) => {
    for (const [what, call] of Object.entries({ ...calls, ...callsThatEndTheirToken })) {
      assertUnconfirmed(t, await call(), what)
    }
  })

  await t.test('is answered so again when it is repeated', async (t) => {
    for (const [what, call] of Object.entries(calls)) assertUnconfirmed(t, await call(), what)
    for (const [what, call] of Object.entries(callsThatEndTheirToken)) {
      t.equal(verdict(await call()), 'TOKEN_REVOKED', what)
    }
  })

  await t.test('is refused already', async (t) => {
    const dead = [ada, bob, elsewhere, dora, second, third, eve, finn]
    for (const { accessToken } of dead) {
      for (const each of nodes) t.equal(verdict(await me(each, accessToken)), 'TOKEN_REVOKED')
    }
    t.equal(verdict(await me(node, cleo.accessToken)), 200, 'what was not revoked lives on')
    t.equal(verdict(await logIn(node, eve)), 'INVALID_CREDENTIALS')
    t.equal(verdict(await logIn(node, { email: eve.email, password: newPassword })), 200)
  })

  await t.test('is recorded once, and unpublished', async (t) => {
    for (const target of [ada.sessionId, bob.id, elsewhere.sessionId, dora.sessionId, eve.id]) {
      t.match(await revocationsOf(node, target), [{ publishedAt: null, confirmedAt: null }])
    }
  })

  await t.test('is published by itself when Redis is back, and the repeat succeeds', async (t) => {
    const log = bookmark(nodes)
    await redis.start()
    await log.heard('deny_list.usable')
    for (const target of [
      ada.sessionId,
      bob.id,
      elsewhere.sessionId,
      dora.sessionId,
      eve.id,
      finn.id
    ]) {
      await eventually('it is published', async () => {
        const [row] = await revocationsOf(node, target)
        return row?.publishedAt
      })
    }
    const keys = [
      ...[ada, elsewhere, dora].map(({ sessionId }) => `deny:session:{keycard}:${sessionId}`),
      ...[bob, eve, finn].map(({ id }) => `deny:user:{keycard}:${id}`)
    ]
    t.equal(await redis.cli('EXISTS', ...keys), keys.length)
    t.equal((await calls.logout()).status, 204)
    const everywhere = await calls['logout everywhere']()
    t.equal(everywhere.status, 200)
    t.match(everywhere.body, { tokenVersion: 2, receipt: { guarantee: 'applied' } })
    t.equal((await calls['the end of another session']()).status, 204)
    t.equal(verdict(await calls['the reuse of a refresh token']()), 'REFRESH_REUSED')
  })
})

t.test('an answer waits for Redis as long as it may', async (t) => {
  const redis = await startRedis(t)
  const [node] = await startNodes(t, 1, {
    redisUrl: redis.url,
    mode: 'redis',
    env: { REVOCATION_DEADLINE: '20s' }
  })
  const ada = await node.register()
  await redis.kill()
  const answering = node.post('/api/auth/logout-all', { token: ada.accessToken })
  await eventually('it is recorded', async () => (await revocationsOf(node, ada.id))[0])
  await redis.start()
  const answer = await answering
  t.equal(answer.status, 200, answer.text)
  t.equal(await redis.cli('GET', `deny:user:{keycard}:${ada.id}`), '2')
})

t.test('the repeat of a confirmed logout everywhere is a dead token', async (t) => {
  const redis = await startRedis(t)
  const [node] = await startNodes(t, 1, { redisUrl: redis.url, mode: 'redis' })
  const ada = await node.register()
  t.equal((await node.post('/api/auth/logout-all', { token: ada.accessToken })).status, 200)
  await eventually('it is noted', async () => (await revocationsOf(node, ada.id))[0]?.confirmedAt)
  const again = await node.post('/api/auth/logout-all', { token: ada.accessToken })
  t.equal(verdict(again), 'TOKEN_REVOKED')
})
