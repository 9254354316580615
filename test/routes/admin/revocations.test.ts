import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import type { Answer } from '../../support/client.js'
import { startNodes } from '../../support/deployment.js'
import { type Person, startKeycard, type TestKeycard } from '../../support/keycard.js'
import { createManualClock } from '../../support/manual-clock.js'
import { registerAdmin } from '../../support/operators.js'
import { revocationsOf } from '../../support/revocation-rows.js'
import {
  assertDead,
  assertLives,
  logIn,
  me,
  refresh,
  tokensOf,
  verdict
} from '../../support/session-calls.js'

const reason = 'stolen laptop'

function revoke(
  keycard: TestKeycard,
  { accessToken }: Pick<Person, 'accessToken'>,
  target: unknown
): Promise<Answer> {
  return keycard.post('/api/admin/revocations', { token: accessToken, body: { target, reason } })
}

function assertRevoked(t: Test, answer: Answer, admin: Person, what: Record<string, unknown>) {
  t.equal(answer.status, 201, answer.text)
  const { revocation, receipt } = answer.body
  t.match(revocation, { ...what, reason, actorId: admin.id })
  t.equal(receipt?.revocationId, revocation?.id)
  t.equal(receipt?.nodes.length, 2)
}

function tokenIdOf(keycard: TestKeycard, token: string): string {
  const verification = keycard.accessTokens.verify(token)
  if (verification.kind !== 'valid') throw new Error('The token is no good')
  return verification.claims.jti
}

t.test('each kind kills what it covers on every node, and nothing else', async (t) => {
  const [node, other] = await startNodes(t, 2)
  if (other === undefined) throw new Error('There is one node only')
  const admin = await registerAdmin(node)

  await t.test('a token', async (t) => {
    const ada = await node.register()
    const jti = tokenIdOf(node, ada.accessToken)
    const answer = await revoke(node, admin, { kind: 'token', jti })
    assertRevoked(t, answer, admin, { kind: 'token', target: jti })
    t.equal(verdict(await me(other, ada.accessToken)), 'TOKEN_REVOKED')
    t.equal(verdict(await refresh(other, ada.refreshToken)), 200, 'its session goes on')
    const { createdAt = '', liveUntil = '' } = answer.body.revocation ?? {}
    const lifeMs = Date.parse(liveUntil) - Date.parse(createdAt)
    t.ok(lifeMs >= 900_000 + 59_000, 'for as long as any token lives, and the allowance')
  })

  await t.test('a session', async (t) => {
    const ada = await node.register()
    const elsewhere = tokensOf(await logIn(node, ada))
    const answer = await revoke(node, admin, { kind: 'session', id: ada.sessionId })
    assertRevoked(t, answer, admin, { kind: 'session', target: ada.sessionId })
    await assertDead(t, other, ada)
    await assertLives(t, other, elsewhere)
  })

  await t.test('a user', async (t) => {
    const [ada, bob] = [await node.register(), await node.register()]
    const elsewhere = tokensOf(await logIn(node, ada))
    const answer = await revoke(node, admin, { kind: 'user', id: ada.id })
    assertRevoked(t, answer, admin, { kind: 'user', target: ada.id })
    await assertDead(t, other, ada)
    await assertDead(t, other, elsewhere)
    await assertLives(t, other, bob)
    t.equal(verdict(await logIn(other, ada)), 200, 'who may log in again')
  })

  await t.test('everyone, who asked for it included', async (t) => {
    const bob = await node.register()
    const target = { kind: 'everyone', confirm: 'everyone' }
    const answer = await revoke(node, admin, target)
    assertRevoked(t, answer, admin, { kind: 'everyone', target: null })
    await assertDead(t, other, bob)
    await assertDead(t, other, admin)
    t.equal(verdict(await logIn(other, bob)), 200)
  })
})

t.test('the same call again waits again', async (t) => {
  const { clock, advanceSeconds } = createManualClock()
  const keycard = await startKeycard(t, { clock })
  const admin = await registerAdmin(keycard)
  const ada = await keycard.register()
  const jti = tokenIdOf(keycard, ada.accessToken)
  const idOf = async (target: unknown, by = admin) => {
    const { status, body } = await revoke(keycard, by, target)
    t.equal(status, 201)
    return body.revocation?.id
  }
  const session = { kind: 'session', id: ada.sessionId }
  const first = await idOf(session)
  t.equal(await idOf(session), first, 'a session is revoked once')
  t.equal((await revocationsOf(keycard, ada.sessionId)).length, 1)
  advanceSeconds(900 + 61)
  const later = { ...admin, ...tokensOf(await refresh(keycard, admin.refreshToken)) }
  t.not(await idOf(session, later), first, 'unless the first time is forgotten')

  t.not(await idOf({ kind: 'token', jti }, later), await idOf({ kind: 'token', jti }, later))
  const user = { kind: 'user', id: ada.id }
  t.not(await idOf(user, later), await idOf(user, later))
})

t.test('what does not exist is not found; a token is never looked up', async (t) => {
  const keycard = await startKeycard(t)
  const admin = await registerAdmin(keycard)
  const id = randomUUID()
  for (const kind of ['session', 'user']) {
    t.equal(verdict(await revoke(keycard, admin, { kind, id })), 'NOT_FOUND', kind)
    t.same(await revocationsOf(keycard, id), [])
  }
  const swapped = { kind: 'session', id: admin.id }
  t.equal(verdict(await revoke(keycard, admin, swapped)), 'NOT_FOUND')
  t.equal(verdict(await revoke(keycard, admin, { kind: 'token', jti: id })), 201)
})

t.test('a target that is not exactly one is refused, and nothing happens', async (t) => {
  const keycard = await startKeycard(t)
  const admin = await registerAdmin(keycard)
  const id = admin.id
  const everyone = { kind: 'everyone', confirm: 'everyone' }
  const bodies: unknown[] = [
    {},
    { reason },
    { target: everyone },
    { target: everyone, reason: '' },
    { target: everyone, reason: ' \n ' },
    { target: everyone, reason: 'x'.repeat(501) },
    { target: everyone, reason: 1 },
    { target: everyone, reason, actorId: randomUUID() },
    { target: everyone, reason, liveUntil: '2000-01-01T00:00:00Z' },
    { target: { kind: 'everyone' }, reason },
    { target: { kind: 'everyone', confirm: true }, reason },
    { target: { kind: 'everyone', confirm: 'yes' }, reason },
    { target: { ...everyone, id }, reason },
    { target: { kind: 'user', id, jti: id }, reason },
    { target: { kind: 'user', id, level: 99 }, reason },
    { target: { kind: 'user', jti: id }, reason },
    { target: { kind: 'token', id }, reason },
    { target: { kind: 'user', id: id.toUpperCase() }, reason },
    { target: { kind: 'user', id: 'x' }, reason },
    { target: { kind: 'user', id: [id] }, reason },
    { target: { kind: 'users', id }, reason },
    { target: [{ kind: 'user', id }], reason },
    { target: 'everyone', reason },
    { target: null, reason }
  ]
  for (const body of bodies) {
    const answer = await keycard.post('/api/admin/revocations', { token: admin.accessToken, body })
    t.equal(verdict(answer), 'VALIDATION_FAILED', JSON.stringify(body).slice(0, 80))
  }
  await assertLives(t, keycard, admin)
})

t.test('a reason may have 500 characters', async (t) => {
  const keycard = await startKeycard(t)
  const admin = await registerAdmin(keycard)
  const body = { target: { kind: 'token', jti: randomUUID() }, reason: '😀'.repeat(500) }
  const answer = await keycard.post('/api/admin/revocations', { token: admin.accessToken, body })
  t.equal(answer.status, 201)
  t.equal(answer.body.revocation?.reason, body.reason)
})
