import t, { type Test } from 'tap'
import { nodes } from '../../../src/database/schema.js'
import type { Answer } from '../../support/client.js'
import { createDeployment, startNodes } from '../../support/deployment.js'
import { type KeycardOptions, startKeycard } from '../../support/keycard.js'
import { createManualClock } from '../../support/manual-clock.js'
import { basic, introspect, postForm, revoke } from '../../support/oauth-calls.js'
import { issueClient, registerAdmin } from '../../support/operators.js'
import { startPostgres } from '../../support/postgres.js'
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

async function startWithClient(t: Test, options?: KeycardOptions) {
  const keycard = await startKeycard(t, options)
  const client = await issueClient(keycard, await registerAdmin(keycard))
  const kill = (token: string) => revoke(keycard, client.credentials, token)
  return { keycard, client, kill }
}

function assertDone(t: Test, answer: Answer, what: string): void {
  t.equal(answer.status, 200, what)
  t.equal(answer.text, '', what)
  t.equal(answer.headers.get('content-type'), null)
}

function assertUnavailable(t: Test, answer: Answer, what: string): void {
  t.equal(verdict(answer), 'DEPENDENCY_UNAVAILABLE', what)
  t.match(answer.headers.get('retry-after'), /^[1-9]\d*$/)
}

t.test('an access token dies alone, on every node', async (t) => {
  const [node, other] = await startNodes(t, 2)
  if (other === undefined) throw new Error('There is one node only')
  const client = await issueClient(node, await registerAdmin(node))
  const ada = await node.register()
  const second = tokensOf(await refresh(node, ada.refreshToken))
  assertDone(t, await revoke(node, client.credentials, ada.accessToken), 'the first time')
  for (const each of [node, other]) {
    t.equal(verdict(await me(each, ada.accessToken)), 'TOKEN_REVOKED')
    t.equal((await introspect(each, client.credentials, ada.accessToken)).body.active, false)
  }
  assertDone(t, await revoke(node, client.credentials, ada.accessToken), 'again')
  await assertLives(t, other, second)

  const verification = node.accessTokens.verify(ada.accessToken)
  if (verification.kind !== 'valid') throw new Error('The token is no good')
  const { jti, exp } = verification.claims
  const [row] = await revocationsOf(node, jti)
  t.match(row, { kind: 'token', reason: `revoked by client ${client.id}`, origin: null })
  t.equal(row?.liveUntil.getTime(), exp * 1_000 + 60_000, 'no longer than it could live')
})

t.test('a refresh token takes its session along', async (t) => {
  const { keycard, kill } = await startWithClient(t)
  const ada = await keycard.register()
  const elsewhere = tokensOf(await logIn(keycard, ada))
  assertDone(t, await kill(ada.refreshToken), 'the first time')
  await assertDead(t, keycard, ada)
  assertDone(t, await kill(ada.refreshToken), 'again')
  t.equal((await revocationsOf(keycard, ada.sessionId)).length, 1, 'which is recorded once')
  await assertLives(t, keycard, elsewhere)

  const old = await keycard.register()
  const next = tokensOf(await refresh(keycard, old.refreshToken))
  assertDone(t, await kill(old.refreshToken), 'one that was exchanged')
  await assertDead(t, keycard, next)
})

t.test('what is no token, or none any more, is answered alike', async (t) => {
  const { clock, advanceSeconds } = createManualClock()
  const { keycard, kill } = await startWithClient(t, { clock })
  const ada = await keycard.register()
  const foreign = await startKeycard(t)
  const stranger = await foreign.register()
  for (const token of [
    'x',
    ada.id,
    ada.sessionId,
    `${ada.accessToken}x`,
    `${ada.refreshToken.slice(0, -4)}AAAA`,
    stranger.accessToken,
    stranger.refreshToken,
    'a'.repeat(10_000)
  ]) {
    assertDone(t, await kill(token), token.slice(0, 40))
  }
  await assertLives(t, keycard, ada)
  const { accessToken, refreshToken } = await keycard.register()
  const verification = keycard.accessTokens.verify(accessToken)
  if (verification.kind !== 'valid') throw new Error('The token is no good')
  advanceSeconds(900 + 31)
  assertDone(t, await kill(accessToken), 'expired')
  t.same(await revocationsOf(keycard, verification.claims.jti), [], 'on every node')
  advanceSeconds(7 * 86_400)
  assertDone(t, await kill(refreshToken), 'idle for too long')
})

t.test('a token that has just expired may live by the clock of another node', async (t) => {
  const { clock, advanceSeconds } = createManualClock()
  const [ahead, behind] = [() => clock() + 20_000, clock]
  const [node, late] = await startPair(t, ahead, behind)
  const client = await issueClient(node, await registerAdmin(node))
  const ada = await late.register()
  advanceSeconds(890)
  t.equal(verdict(await me(node, ada.accessToken)), 'TOKEN_EXPIRED')
  t.equal(verdict(await me(late, ada.accessToken)), 200)
  assertDone(t, await revoke(node, client.credentials, ada.accessToken), 'expired here')
  t.equal(verdict(await me(late, ada.accessToken)), 'TOKEN_REVOKED')
})

t.test('a hint makes no difference', async (t) => {
  const { keycard, client } = await startWithClient(t)
  const authorization = basic(client.credentials)
  const ada = await keycard.register()
  const form = `token=${ada.accessToken}&token_type_hint=refresh_token`
  assertDone(t, await postForm(keycard, '/oauth/revoke', form, { authorization }), 'wrong')
  t.equal(verdict(await me(keycard, ada.accessToken)), 'TOKEN_REVOKED')
  const other = `token=${ada.refreshToken}&token_type_hint=nonsense`
  assertDone(t, await postForm(keycard, '/oauth/revoke', other, { authorization }), 'unknown')
  await assertDead(t, keycard, ada)
})

t.test('where Postgres is away nothing is said to be revoked', async (t) => {
  const server = await startPostgres(t)
  const { keycard, kill } = await startWithClient(t, { databaseUrl: server.url })
  const ada = await keycard.register()
  server.freeze()
  t.teardown(() => server.thaw())
  assertUnavailable(t, await kill(ada.accessToken), 'an access token')
  assertUnavailable(t, await kill(ada.refreshToken), 'a refresh token')
  assertUnavailable(t, await kill('garbage'), 'garbage')
})

t.test('nor before every node is known to refuse it', async (t) => {
  const { keycard, kill } = await startWithClient(t, {
    env: { REVOCATION_DEADLINE: '300ms', LEASE_MS: '100' }
  })
  const ada = await keycard.register()
  // A node that decides from a Redis that nobody here can publish to.
  const far = new Date(Date.now() + 3_600_000)
  const silent = {
    id: ada.sessionId,
    mode: 'redis',
    dataSet: 'elsewhere',
    startedAt: far,
    heartbeatAt: far
  } as const
  await keycard.app.database.write((db) => db.insert(nodes).values(silent))
  for (const attempt of ['first', 'again']) {
    assertUnavailable(t, await kill(ada.accessToken), attempt)
    assertUnavailable(t, await kill(ada.refreshToken), attempt)
  }
  t.equal(verdict(await me(keycard, ada.accessToken)), 'TOKEN_REVOKED', 'it is recorded already')
  await keycard.app.database.write((db) => db.delete(nodes))
  assertDone(t, await kill(ada.accessToken), 'and confirmed when it can be')
  assertDone(t, await kill(ada.refreshToken), 'and its session')
})

async function startPair(t: Test, ...clocks: [() => number, () => number]) {
  const deployment = await createDeployment(t)
  const [first, second] = clocks
  return [
    await deployment.start({ clock: first }),
    await deployment.start({ clock: second })
  ] as const
}
