import { eq } from 'drizzle-orm'
import t from 'tap'
import { users } from '../../src/database/schema.js'
import type { Answer } from '../support/client.js'
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

const daySeconds = 86_400
const { clock, advanceMs, advanceSeconds } = createManualClock()
const keycard = await startKeycard(t, { clock })

t.test('a session that nobody used for seven days is over', async (t) => {
  const kept = await keycard.register()
  const left = await keycard.register()
  advanceSeconds(7 * daySeconds)
  advanceMs(-1)
  const next = tokensOf(await refresh(keycard, kept.refreshToken))
  advanceMs(1)
  const late = await refresh(keycard, left.refreshToken)
  t.equal(verdict(late), 'INVALID_REFRESH_TOKEN')
  t.equal((await sessionRow(keycard, left.sessionId)).counter, 0, 'and it was not used')
  await assertLives(t, keycard, next)
})

t.test('no rotation takes a session past thirty days', async (t) => {
  let tokens = tokensOf(await logIn(keycard, await keycard.register()))
  const { expiresAt } = await sessionRow(keycard, tokens.sessionId)
  for (let day = 5; day < 30; day += 5) {
    advanceSeconds(5 * daySeconds)
    tokens = tokensOf(await refresh(keycard, tokens.refreshToken))
    t.same((await sessionRow(keycard, tokens.sessionId)).expiresAt, expiresAt, `day ${day}`)
  }
  advanceSeconds(5 * daySeconds)
  advanceMs(-1)
  tokens = tokensOf(await refresh(keycard, tokens.refreshToken))
  advanceMs(1)
  t.equal(verdict(await refresh(keycard, tokens.refreshToken)), 'INVALID_REFRESH_TOKEN')
  advanceSeconds(11)
  const old = await refresh(keycard, tokens.refreshToken)
  t.equal(verdict(old), 'INVALID_REFRESH_TOKEN', 'and it is over, not reused, ever after')
})

t.test('the cookie lives for what is left of the session', async (t) => {
  const { email, password } = await keycard.register()
  const login = await keycard.post('/api/auth/login', { body: { email, password } })
  t.equal(maxAge(login), 7 * daySeconds, 'the idle lifetime at first')
  let cookie = cookieOf(login)
  for (const left of [25, 20, 15, 10, 7, 4, 1]) {
    const passed = (await daysLeft(login)) - left
    advanceSeconds(passed * daySeconds)
    const answer = await keycard.post('/api/auth/refresh', { headers: { cookie } })
    t.equal(maxAge(answer), Math.min(7, left) * daySeconds, `${left} days before the end`)
    cookie = cookieOf(answer)
  }
  advanceSeconds(daySeconds - 90)
  t.equal(maxAge(await keycard.post('/api/auth/refresh', { headers: { cookie } })), 90)
})

t.test('a refresh refuses what was revoked under another version or generation', async (t) => {
  const ada = await keycard.register()
  const adaToo = tokensOf(await logIn(keycard, ada))
  const grace = await keycard.register()
  await keycard.post('/api/auth/logout-all', { token: ada.accessToken })
  await assertDead(t, keycard, ada)
  await assertDead(t, keycard, adaToo)
  const graceNow = await assertLives(t, keycard, grace)
  const adaAgain = tokensOf(await logIn(keycard, ada))
  await assertLives(t, keycard, adaAgain)

  await keycard.app.revocation.revokeEveryone({ reason: 'test', origin: null })
  await assertDead(t, keycard, graceNow)
  await assertDead(t, keycard, { ...graceNow, refreshToken: grace.refreshToken })
  await assertDead(t, keycard, adaAgain)
  await assertLives(t, keycard, tokensOf(await logIn(keycard, grace)))
})

t.test('the account of a refresh token must be there and enabled', async (t) => {
  const person = await keycard.register()
  await setUser(person.id, { disabledAt: new Date(clock()) })
  t.equal(verdict(await refresh(keycard, person.refreshToken)), 'INVALID_REFRESH_TOKEN')
  await setUser(person.id, { disabledAt: null })
  const next = tokensOf(await refresh(keycard, person.refreshToken))

  const deletion = { token: next.accessToken, body: { password: person.password } }
  t.equal((await keycard.delete('/api/auth/me', deletion)).status, 204)
  await assertDead(t, keycard, next)
})

t.test('the roles are read again at each refresh, within the grace as well', async (t) => {
  const person = await keycard.register()
  for (const roles of [['moderator'], ['moderator', 'admin'], []]) {
    await setUser(person.id, { roles })
    const tokens = tokensOf(await refresh(keycard, person.refreshToken))
    const verification = keycard.accessTokens.verify(tokens.accessToken)
    t.match(verification, { kind: 'valid', claims: { roles } })
    t.same((await me(keycard, tokens.accessToken)).body.user?.roles, roles)
  }
})

function maxAge({ cookies }: Answer): number {
  return Number(/; Max-Age=(\d+);/.exec(cookies[0] ?? '')?.[1])
}

function cookieOf({ cookies }: Answer): string {
  return /^[^;]+/.exec(cookies[0] ?? '')?.[0] ?? ''
}

async function daysLeft({ body }: Answer): Promise<number> {
  const { expiresAt } = await sessionRow(keycard, body.sessionId ?? '')
  return (expiresAt.getTime() - clock()) / 1_000 / daySeconds
}

async function setUser(id: string, values: Partial<typeof users.$inferInsert>): Promise<void> {
  await keycard.app.database.write((db) => db.update(users).set(values).where(eq(users.id, id)))
}
