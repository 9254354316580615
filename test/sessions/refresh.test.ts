import t from 'tap'
import { createRefreshTokens } from '../../src/sessions/refresh-token.js'
import { startKeycard } from '../support/keycard.js'
import { createManualClock } from '../support/manual-clock.js'
import {
  assertDead,
  assertLives,
  logIn,
  me,
  refresh,
  sessionRow,
  tokensOf,
  verdict
} from '../support/session-calls.js'

// The default grace of ten seconds, on a clock that only the tests move.
const { clock, advanceMs, advanceSeconds } = createManualClock()
const keycard = await startKeycard(t, { clock })

t.test('each refresh moves the session on by one and keeps its identity', async (t) => {
  let tokens = tokensOf(await logIn(keycard, await keycard.register()))
  const first = tokens
  for (const counter of [1, 2, 3]) {
    advanceSeconds(60)
    const answer = await refresh(keycard, tokens.refreshToken)
    t.equal(answer.status, 200)
    t.same(answer.cookies, [], 'a token from the body is answered in the body')
    t.match(answer.body, { tokenType: 'Bearer', expiresIn: 900, sessionId: first.sessionId })
    t.equal(answer.headers.get('cache-control'), 'no-store')
    const next = tokensOf(answer)
    t.not(next.refreshToken, tokens.refreshToken)
    t.equal((await sessionRow(keycard, first.sessionId)).counter, counter)
    tokens = next
  }
  t.equal((await me(keycard, first.accessToken)).status, 200, 'rotation revokes no access token')
  await assertLives(t, keycard, tokens)
})

t.test('within the grace the token before gets the same successor again', async (t) => {
  const person = await keycard.register()
  const successor = tokensOf(await refresh(keycard, person.refreshToken))
  for (const passed of [0, 1, 4_000, 5_998]) {
    advanceMs(passed)
    const again = tokensOf(await refresh(keycard, person.refreshToken))
    t.equal(again.refreshToken, successor.refreshToken, 'to the byte')
    t.equal((await me(keycard, again.accessToken)).status, 200)
  }
  t.equal((await sessionRow(keycard, person.sessionId)).counter, 1, 'nothing was rotated')
  await assertLives(t, keycard, successor)
})

t.test('after the grace the token before ends the session', async (t) => {
  const person = await keycard.register()
  const elsewhere = tokensOf(await logIn(keycard, person))
  const current = tokensOf(await refresh(keycard, person.refreshToken))
  advanceMs(9_000)
  t.equal((await refresh(keycard, person.refreshToken)).status, 200)
  advanceMs(1_001)

  const reused = await refresh(keycard, person.refreshToken)
  t.equal(verdict(reused), 'REFRESH_REUSED', 'a retry within the grace did not prolong it')
  t.same(reused.cookies, [])
  await assertDead(t, keycard, current)
  t.equal(verdict(await me(keycard, person.accessToken)), 'TOKEN_REVOKED')
  const next = await assertLives(t, keycard, elsewhere)

  const listed = await keycard.get('/api/auth/sessions', { token: next.accessToken })
  t.same(
    listed.body.sessions?.map(({ id }) => id),
    [elsewhere.sessionId]
  )
})

t.test('a token before the one before ends the session, grace or not', async (t) => {
  const person = await keycard.register()
  const second = tokensOf(await refresh(keycard, person.refreshToken))
  const third = tokensOf(await refresh(keycard, second.refreshToken))
  t.equal(verdict(await refresh(keycard, person.refreshToken)), 'REFRESH_REUSED')
  await assertDead(t, keycard, third)
})

t.test('without a grace a used token is reused at once', async (t) => {
  const keycard = await startKeycard(t, { clock, env: { REFRESH_GRACE: '0s' } })
  const person = await keycard.register()
  const current = tokensOf(await refresh(keycard, person.refreshToken))
  t.equal(verdict(await refresh(keycard, person.refreshToken)), 'REFRESH_REUSED')
  await assertDead(t, keycard, current)
})

t.test('a session that is dead stays dead, whichever of its tokens comes', async (t) => {
  const person = await keycard.register()
  const current = tokensOf(await refresh(keycard, person.refreshToken))
  await keycard.post('/api/auth/logout', { token: current.accessToken })
  t.equal(verdict(await refresh(keycard, person.refreshToken)), 'INVALID_REFRESH_TOKEN')
  advanceSeconds(11)
  for (const attempt of ['first', 'second']) {
    const reused = await refresh(keycard, person.refreshToken)
    t.equal(verdict(reused), 'REFRESH_REUSED', `${attempt} replay`)
    await assertDead(t, keycard, current)
  }
  advanceSeconds(900)
  t.equal(verdict(await refresh(keycard, person.refreshToken)), 'REFRESH_REUSED')
  t.equal(verdict(await refresh(keycard, current.refreshToken)), 'INVALID_REFRESH_TOKEN')
})

t.test('a stolen token, used first by the thief', async (t) => {
  const victim = await keycard.register()
  const thief = tokensOf(await refresh(keycard, victim.refreshToken))
  advanceSeconds(300)
  t.equal((await me(keycard, thief.accessToken)).status, 200)
  t.equal(verdict(await refresh(keycard, victim.refreshToken)), 'REFRESH_REUSED')
  await assertDead(t, keycard, thief)
  const events = keycard.log.filter((line) => line.includes('auth.refresh_reused'))
  t.match(JSON.parse(events.at(-1) ?? ''), { sessionId: victim.sessionId, counter: 0 })
  t.notOk(keycard.log.some((line) => line.includes(victim.refreshToken)))
  t.equal((await logIn(keycard, victim)).status, 200, 'the victim can log in again')
})

t.test('a stolen token, used first by the victim', async (t) => {
  const victim = await keycard.register()
  const stolen = victim.refreshToken
  const current = tokensOf(await refresh(keycard, victim.refreshToken))
  advanceSeconds(11)
  t.equal(verdict(await refresh(keycard, stolen)), 'REFRESH_REUSED')
  await assertDead(t, keycard, current)
})

t.test('a thief who was quick enough for the grace is found at the next refresh', async (t) => {
  const victim = await keycard.register()
  const owned = tokensOf(await refresh(keycard, victim.refreshToken))
  const stolen = tokensOf(await refresh(keycard, victim.refreshToken))
  t.equal(stolen.refreshToken, owned.refreshToken)
  advanceSeconds(600)
  const thief = tokensOf(await refresh(keycard, stolen.refreshToken))
  advanceSeconds(11)
  t.equal(verdict(await refresh(keycard, owned.refreshToken)), 'REFRESH_REUSED')
  await assertDead(t, keycard, thief)
})

t.test('a genuine token from ahead of the database is refused and harms nobody', async (t) => {
  const person = await keycard.register()
  const { id, salt } = await sessionRow(keycard, person.sessionId)
  const tokens = createRefreshTokens(keycard.config.refresh.secret ?? '')
  t.equal(tokens.mint(id, 0, salt), person.refreshToken)
  for (const counter of [1, 2, 0xffffffff]) {
    const ahead = await refresh(keycard, tokens.mint(id, counter, salt))
    t.equal(verdict(ahead), 'INVALID_REFRESH_TOKEN')
  }
  await assertLives(t, keycard, person)
})

t.test(
  'whoever asks for another step of a session at the same time takes nothing away',
  async (t) => {
    const tokens = createRefreshTokens(keycard.config.refresh.secret ?? '')
    for (let round = 0; round < 10; round++) {
      const person = await keycard.register()
      const { id, salt } = await sessionRow(keycard, person.sessionId)
      const both = [person.refreshToken, tokens.mint(id, 7, salt)]
      const sent = (round % 2 === 0 ? both : both.reverse()).map((token) => refresh(keycard, token))
      const verdicts = (await Promise.all(sent)).map(verdict)
      t.same(new Set(verdicts), new Set([200, 'INVALID_REFRESH_TOKEN']))
    }
  }
)
