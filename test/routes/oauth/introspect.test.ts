import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { sessions, users } from '../../../src/database/schema.js'
import type { Answer } from '../../support/client.js'
import { type KeycardOptions, startKeycard, type TestKeycard } from '../../support/keycard.js'
import { createManualClock } from '../../support/manual-clock.js'
import { basic, introspect, postForm } from '../../support/oauth-calls.js'
import { issueClient, registerAdmin, registerAs, setUser } from '../../support/operators.js'
import { startPostgres } from '../../support/postgres.js'
import { startRedis } from '../../support/redis.js'
import { logIn, me, refresh, tokensOf, verdict } from '../../support/session-calls.js'

const cause = { reason: 'test', origin: null }

async function startWithClient(t: Test, options?: KeycardOptions) {
  const keycard = await startKeycard(t, options)
  const admin = await registerAdmin(keycard)
  const { credentials } = await issueClient(keycard, admin)
  return {
    keycard,
    admin,
    ask: (token: string) => introspect(keycard, credentials, token),
    credentials
  }
}

function assertInactive(t: Test, answer: Answer, why: string): void {
  t.equal(answer.status, 200, why)
  t.equal(answer.text, '{"active":false}', why)
  t.equal(answer.headers.get('cache-control'), 'no-store')
}

function claimsOf(keycard: TestKeycard, token: string) {
  const verification = keycard.accessTokens.verify(token)
  if (verification.kind !== 'valid') throw new Error('The token is no good')
  return verification.claims
}

t.test('a good access token is told in full', async (t) => {
  const { keycard, ask } = await startWithClient(t)
  const ada = await registerAs(keycard, ['moderator', 'editor'])
  const answer = await ask(ada.accessToken)
  t.equal(answer.status, 200)
  t.match(answer.headers.get('content-type'), /^application\/json/)
  t.equal(answer.headers.get('cache-control'), 'no-store')
  const { iat, exp, jti } = claimsOf(keycard, ada.accessToken)
  t.strictSame(JSON.parse(answer.text), {
    active: true,
    token_type: 'Bearer',
    client_id: 'keycard',
    iss: keycard.config.jwt.issuer,
    aud: 'keycard',
    sub: ada.id,
    sid: ada.sessionId,
    jti,
    iat,
    exp,
    ver: 1,
    gen: 1,
    roles: ['moderator', 'editor']
  })
})

t.test('a good refresh token is told without what it does not have', async (t) => {
  const { clock, advanceSeconds } = createManualClock()
  const { keycard, ask } = await startWithClient(t, { clock })
  const ada = await keycard.register()
  const start = clock() / 1_000
  advanceSeconds(60)
  t.strictSame(JSON.parse((await ask(ada.refreshToken)).text), {
    active: true,
    token_type: 'refresh_token',
    sub: ada.id,
    sid: ada.sessionId,
    iat: start,
    exp: start + 7 * 86_400
  })
  const next = tokensOf(await refresh(keycard, ada.refreshToken))
  t.match(JSON.parse((await ask(next.refreshToken)).text), {
    active: true,
    iat: start + 60,
    exp: start + 60 + 7 * 86_400
  })
  assertInactive(t, await ask(ada.refreshToken), 'it was exchanged')
  t.equal(verdict(await refresh(keycard, next.refreshToken)), 200, 'and asking changed nothing')
})

t.test('a hint makes no difference', async (t) => {
  const { keycard, credentials } = await startWithClient(t)
  const ada = await keycard.register()
  const authorization = basic(credentials)
  for (const token of [ada.accessToken, ada.refreshToken]) {
    for (const hint of ['access_token', 'refresh_token', 'id_token', '', '%20']) {
      const form = `token=${token}&token_type_hint=${hint}&other=x`
      const answer = await postForm(keycard, '/oauth/introspect', form, { authorization })
      t.equal(answer.body.active, true, hint)
    }
  }
})

t.test('whatever is no token of ours is inactive', async (t) => {
  const { keycard, ask } = await startWithClient(t)
  const { accessToken, refreshToken, id } = await keycard.register()
  const foreign = await startKeycard(t)
  const stranger = await foreign.register()
  const [head = '', payload = '', signature = ''] = accessToken.split('.')
  for (const token of [
    'x',
    id,
    ' ',
    '..',
    accessToken.slice(0, -2),
    `${accessToken}x`,
    ` ${accessToken}`,
    `Bearer ${accessToken}`,
    `${head}.${payload}.`,
    `${head}.${payload}`,
    `eyJhbGciOiJub25lIn0.${payload}.${signature}`,
    stranger.accessToken,
    refreshToken.slice(0, -4),
    `${refreshToken.slice(0, -4)}AAAA`,
    stranger.refreshToken,
    '\u00e9'.repeat(70),
    'A'.repeat(70),
    'a'.repeat(10_000)
  ]) {
    assertInactive(t, await ask(token), token.slice(0, 40))
  }
})

t.test('an access token that is dead is inactive, whatever it died of', async (t) => {
  const { clock, advanceSeconds } = createManualClock()
  const { keycard, ask, credentials } = await startWithClient(t, { clock })
  const lives = await keycard.register()

  const token = await keycard.register()
  const { jti, exp } = claimsOf(keycard, token.accessToken)
  await keycard.app.revocation.revokeToken({ jti, exp }, cause)
  assertInactive(t, await ask(token.accessToken), 'the token was revoked')
  t.equal((await ask(token.refreshToken)).body.active, true, 'and that token alone')

  const session = await keycard.register()
  await keycard.post('/api/auth/logout', { token: session.accessToken })
  const user = await keycard.register()
  await keycard.post('/api/auth/logout-all', { token: user.accessToken })
  const disabled = await keycard.register()
  await setUser(keycard, disabled.id, { disabledAt: new Date(clock()) })
  const deleted = await keycard.register()
  const { accessToken, password } = deleted
  await keycard.delete('/api/auth/me', { token: accessToken, body: { password } })
  const vanished = await keycard.register()
  await keycard.app.database.write((db) => db.delete(users).where(eq(users.id, vanished.id)))
  for (const [why, person] of Object.entries({ session, user, disabled, deleted, vanished })) {
    assertInactive(t, await ask(person.accessToken), why)
    assertInactive(t, await ask(person.refreshToken), why)
  }

  t.equal((await ask(lives.accessToken)).body.active, true, 'nobody else was concerned')
  advanceSeconds(900)
  assertInactive(t, await ask(lives.accessToken), 'it expired')
  t.equal((await ask(lives.refreshToken)).body.active, true)
  advanceSeconds(7 * 86_400)
  assertInactive(t, await ask(lives.refreshToken), 'it was idle for too long')

  const last = tokensOf(await logIn(keycard, lives))
  await keycard.app.revocation.revokeEveryone(cause)
  assertInactive(t, await ask(last.accessToken), 'everyone was revoked')
  assertInactive(t, await introspect(keycard, credentials, last.refreshToken), 'and the session')
})

t.test('the database decides, not what the node has heard of it', async (t) => {
  const redis = await startRedis(t)
  const { keycard, ask } = await startWithClient(t, {
    redisUrl: redis.url,
    env: { REVOCATION_MODE: 'redis' }
  })
  const ada = await keycard.register()
  await keycard.app.database.write((db) =>
    db.update(sessions).set({ revokedAt: new Date() }).where(eq(sessions.id, ada.sessionId))
  )
  t.equal(verdict(await me(keycard, ada.accessToken)), 200, 'the deny-list knows nothing')
  assertInactive(t, await ask(ada.accessToken), 'the session is revoked')
  await redis.kill()
  t.equal((await ask((await keycard.register()).accessToken)).body.active, true)
})

t.test('where Postgres is away the answer is 503, and never a guess', async (t) => {
  const server = await startPostgres(t)
  const { keycard, ask } = await startWithClient(t, { databaseUrl: server.url })
  const ada = await keycard.register()
  const outages = { frozen: () => server.freeze(), killed: () => server.kill() }
  for (const [outage, begin] of Object.entries(outages)) {
    await begin()
    for (const token of [ada.accessToken, ada.refreshToken, 'garbage']) {
      const answer = await ask(token)
      t.equal(verdict(answer), 'DEPENDENCY_UNAVAILABLE', outage)
      t.match(answer.headers.get('retry-after'), /^[1-9]\d*$/)
      t.equal(answer.body.active, undefined)
    }
    server.thaw()
  }
})

t.test('an id in a token is never asked of Postgres in another form', async (t) => {
  const { ask, keycard } = await startWithClient(t)
  const issued = keycard.accessTokens.issue({
    userId: randomUUID(),
    sessionId: randomUUID(),
    version: 1,
    generation: 1,
    roles: []
  })
  assertInactive(t, await ask(issued.token), 'genuine, of nobody')
})
