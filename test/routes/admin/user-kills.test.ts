import t from 'tap'
import { startNodes } from '../../support/deployment.js'
import { eventually } from '../../support/eventually.js'
import { registerAdmin, registerAs, setUser } from '../../support/operators.js'
import { startRedis } from '../../support/redis.js'
import { revocationsOf } from '../../support/revocation-rows.js'
import {
  assertDead,
  assertLives,
  listSessions,
  logIn,
  me,
  refresh,
  tokensOf,
  verdict
} from '../../support/session-calls.js'
import { administration, auditOf, userOf, userRow } from '../../support/user-administration.js'

t.test('what a change of an account kills on every node', async (t) => {
  const [node, other] = await startNodes(t, 2)
  if (other === undefined) throw new Error('There is one node only')
  const admin = await registerAdmin(node)
  const users = administration(node, admin)

  await t.test('new roles: the access tokens, and no session', async (t) => {
    const ada = await node.register()
    const elsewhere = tokensOf(await logIn(node, ada))
    const bob = await node.register()
    const answer = await users.change(ada.id, { roles: ['ops'] })
    t.equal(answer.status, 200, answer.text)
    t.same(Object.keys(answer.body).sort(), ['receipt', 'user'])
    t.equal(answer.body.receipt?.nodes.length, 2)
    const [recorded] = await revocationsOf(node, ada.id)
    t.match(recorded, { reason: 'roles changed', actorId: admin.id, level: 2 })
    for (const tokens of [ada, elsewhere]) {
      t.equal(verdict(await listSessions(other, tokens.accessToken)), 'TOKEN_REVOKED')
      const next = tokensOf(await refresh(other, tokens.refreshToken))
      const verified = node.accessTokens.verify(next.accessToken)
      t.match(verified, { claims: { roles: ['ops'], ver: 2 } }, 'the next token has the new roles')
      await assertLives(t, node, next)
    }
    await assertLives(t, other, bob)
  })

  await t.test('the reason is in the audit and in the revocation', async (t) => {
    const ada = await node.register()
    const reason = 'INC-212: phished'
    t.equal((await users.change(ada.id, { disabled: true, reason })).status, 200)
    t.match(await revocationsOf(node, ada.id), [{ reason }])
    const events = await auditOf(node, ada.id)
    t.same(
      events.filter((event) => event.reason === reason).map(({ action }) => action),
      ['account.disabled', 'user.revoked']
    )
    for (const wrong of ['', ' ', 'x'.repeat(501), null]) {
      const answer = await users.change(ada.id, { disabled: false, reason: wrong })
      t.match(answer, { status: 400, body: { code: 'VALIDATION_FAILED' } })
    }
    t.equal((await users.change(ada.id, { reason })).status, 200, 'by itself it changes nothing')
    t.equal((await revocationsOf(node, ada.id)).length, 1)
  })

  await t.test('new roles revive no session that was dead', async (t) => {
    const ada = await node.register()
    await node.post('/api/auth/logout-all', { token: ada.accessToken })
    const alive = tokensOf(await logIn(node, ada))
    await users.change(ada.id, { roles: ['ops'] })
    await assertDead(t, other, ada)
    t.equal(verdict(await refresh(other, alive.refreshToken)), 200)

    await users.change(ada.id, { disabled: true })
    await users.change(ada.id, { roles: [] })
    await users.change(ada.id, { roles: ['ops'], disabled: false })
    t.equal(verdict(await refresh(other, alive.refreshToken)), 'INVALID_REFRESH_TOKEN')
    t.same((await users.sessions(ada.id)).body.sessions, [])

    const bob = await node.register()
    await setUser(node, bob.id, { disabledAt: new Date() })
    await users.change(bob.id, { roles: ['ops'], disabled: false })
    await assertDead(t, other, bob)
  })

  await t.test('disabling: both, and enabling revives neither', async (t) => {
    const ada = await node.register()
    const answer = await users.change(ada.id, { disabled: true })
    t.equal(userOf(answer).disabled, true)
    t.equal(answer.body.receipt?.nodes.length, 2)
    await assertDead(t, other, ada)
    t.equal(verdict(await logIn(other, ada)), 'ACCOUNT_DISABLED')
    const enabled = await users.change(ada.id, { disabled: false })
    t.equal(userOf(enabled).disabled, false)
    t.equal(enabled.body.receipt, null, 'enabling revokes nothing')
    await assertDead(t, other, ada)
    await assertLives(t, other, tokensOf(await logIn(other, ada)))
  })

  await t.test('both at once are one revocation', async (t) => {
    const ada = await node.register()
    await users.change(ada.id, { name: 'Eve', roles: ['ops'], disabled: true })
    t.match(await userRow(node, ada.id), { name: 'Eve', roles: ['ops'], tokenVersion: 2 })
    t.equal((await revocationsOf(node, ada.id)).length, 1)
    await assertDead(t, other, ada)
  })

  await t.test('deleting: all there is of it', async (t) => {
    const ada = await node.register()
    t.equal(verdict(await users.remove(ada.id)), 204)
    await assertDead(t, other, ada)
    t.equal(verdict(await logIn(other, ada)), 'INVALID_CREDENTIALS')
    t.equal(verdict(await users.read(ada.id)), 'NOT_FOUND')
    t.equal(verdict(await users.remove(ada.id)), 'NOT_FOUND')
    const { email, password, name } = ada
    const again = await node.register({ email, password, name })
    await assertLives(t, other, again)
    await assertDead(t, other, ada)
  })

  await t.test('a new name: nothing', async (t) => {
    const ada = await node.register()
    const answer = await users.change(ada.id, { name: 'Countess' })
    t.equal(userOf(answer).name, 'Countess')
    t.equal(answer.body.receipt, null)
    await assertLives(t, other, ada)
  })

  await t.test('a downgraded administrator is out on the other node at once', async (t) => {
    const eve = await registerAdmin(node)
    const own = administration(other, eve)
    t.equal(verdict(await own.list()), 200)
    await users.change(eve.id, { roles: ['ops'] })
    t.equal(verdict(await own.list()), 'TOKEN_REVOKED')
    const next = tokensOf(await refresh(other, eve.refreshToken))
    t.equal(verdict(await administration(other, next).list()), 'FORBIDDEN')
    await users.change(eve.id, { roles: ['admin'] })
    t.equal(verdict(await administration(other, next).list()), 'TOKEN_REVOKED')
    const promoted = tokensOf(await refresh(other, next.refreshToken))
    t.equal(verdict(await administration(other, promoted).list()), 200)
  })

  await t.test('and somebody may take the role from themselves', async (t) => {
    const eve = await registerAdmin(node)
    const answer = await administration(node, eve).change(eve.id, { roles: [] })
    t.equal(answer.status, 200)
    t.equal(verdict(await me(other, eve.accessToken)), 'TOKEN_REVOKED')
    t.equal(verdict(await refresh(other, eve.refreshToken)), 200)
  })
})

t.test('a change whose end is not known yet is answered 503, and can be repeated', async (t) => {
  const redis = await startRedis(t)
  const env = { REVOCATION_DEADLINE: '400ms', LEASE_MS: '100' }
  const [node] = await startNodes(t, 1, { redisUrl: redis.url, mode: 'redis', env })
  const users = administration(node, await registerAdmin(node))
  const [ada, bob, cleo] = [
    await node.register(),
    await node.register(),
    await registerAs(node, ['ops'])
  ]
  await redis.kill()
  const calls = {
    'new roles': () => users.change(ada.id, { name: 'Eve', roles: ['ops'] }),
    disabling: () => users.change(bob.id, { disabled: true }),
    deletion: () => users.remove(cleo.id)
  }
  for (const [what, call] of Object.entries(calls)) {
    for (const time of ['once', 'twice']) {
      const answer = await call()
      t.equal(verdict(answer), 'DEPENDENCY_UNAVAILABLE', `${what} ${time}`)
      t.match(answer.headers.get('retry-after'), /^\d+$/)
    }
  }
  for (const { id, accessToken } of [ada, bob, cleo]) {
    t.match(await revocationsOf(node, id), [{ confirmedAt: null, level: 2 }], 'recorded once')
    t.equal(verdict(await me(node, accessToken)), 'TOKEN_REVOKED')
  }
  t.equal(verdict(await users.change(ada.id, { name: 'Ada' })), 200, 'a name waits for nobody')
  t.equal(verdict(await users.change(bob.id, { disabled: false })), 200, 'nor does enabling')

  await redis.start()
  for (const [what, call] of Object.entries(calls)) {
    const answer = await eventually(what, async () => {
      const came = await call()
      return came.status < 300 && came
    })
    t.not(answer.body.receipt, null, what)
  }
  t.equal((await calls['new roles']()).body.receipt, null, 'now there is nothing to wait for')
  t.equal(verdict(await calls.deletion()), 'NOT_FOUND')
  t.equal((await revocationsOf(node, cleo.id)).length, 1)
})
