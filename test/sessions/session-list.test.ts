import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { AnsweredSession } from '../support/client.js'
import { startKeycard } from '../support/keycard.js'
import { createManualClock } from '../support/manual-clock.js'
import { logIn, me, refresh, tokensOf, verdict, type Tokens } from '../support/session-calls.js'

const { clock, advanceSeconds } = createManualClock()
const keycard = await startKeycard(t, { clock, env: { TRUST_PROXY: '127.0.0.1' } })

async function listed({ accessToken }: Pick<Tokens, 'accessToken'>): Promise<AnsweredSession[]> {
  const answer = await keycard.get('/api/auth/sessions', { token: accessToken })
  if (answer.status !== 200) throw new Error(`No list came: ${verdict(answer)}`)
  return [...(answer.body.sessions ?? [])]
}

const idsOf = (sessions: readonly AnsweredSession[]) => sessions.map(({ id }) => id)

t.test('shows where an account is logged in, the latest use first', async (t) => {
  const { email, password } = await keycard.register()
  const from = async (headers: Record<string, string>) => {
    advanceSeconds(60)
    const body = { email, password, tokenDelivery: 'body' }
    return tokensOf(await keycard.post('/api/auth/login', { body, headers }))
  }
  const start = clock()
  const phone = await from({ 'user-agent': 'Phone/1.0', 'x-forwarded-for': '203.0.113.7' })
  const tablet = await from({ 'user-agent': 'x'.repeat(2_000), 'x-forwarded-for': '2001:db8::7' })
  advanceSeconds(60)
  await refresh(keycard, phone.refreshToken)

  const sessions = await listed(tablet)
  t.same(idsOf(sessions).slice(0, 2), [phone.sessionId, tablet.sessionId])
  t.equal(sessions.length, 3)
  const at = (seconds: number) => new Date(start + seconds * 1_000).toISOString()
  t.same(sessions[0], {
    id: phone.sessionId,
    current: false,
    createdAt: at(60),
    lastUsedAt: at(180),
    expiresAt: at(60 + 30 * 86_400),
    ip: '203.0.113.7',
    userAgent: 'Phone/1.0'
  })
  t.same(sessions[1], {
    id: tablet.sessionId,
    current: true,
    createdAt: at(120),
    lastUsedAt: at(120),
    expiresAt: at(120 + 30 * 86_400),
    ip: '2001:db8::7',
    userAgent: 'x'.repeat(512)
  })
})

t.test('what a proxy forwards as an address and is none is not shown as one', async (t) => {
  const { email, password } = await keycard.register()
  const body = { email, password, tokenDelivery: 'body' }
  for (const forwarded of ['unknown', '203.0.113.7:8080', '<script>', 'x'.repeat(2_000)]) {
    const headers = { 'x-forwarded-for': forwarded }
    const tokens = tokensOf(await keycard.post('/api/auth/login', { body, headers }))
    const session = (await listed(tokens)).find(({ current }) => current)
    t.equal(session?.ip, '127.0.0.1', forwarded.slice(0, 20))
  }
})

t.test('shows no session of anybody else', async (t) => {
  const [ada, grace] = [await keycard.register(), await keycard.register()]
  t.same(idsOf(await listed(ada)), [ada.sessionId])
  t.same(idsOf(await listed(grace)), [grace.sessionId])
})

t.test('shows no session that has ended, in whatever way', async (t) => {
  const person = await keycard.register()
  const open = async () => tokensOf(await logIn(keycard, person))
  const [loggedOut, ended, replayed] = [await open(), await open(), await open()]
  await keycard.post('/api/auth/logout', { token: loggedOut.accessToken })
  await keycard.delete(`/api/auth/sessions/${ended.sessionId}`, { token: person.accessToken })
  const second = tokensOf(await refresh(keycard, replayed.refreshToken))
  await refresh(keycard, second.refreshToken)
  await refresh(keycard, replayed.refreshToken)
  t.same(idsOf(await listed(person)), [person.sessionId])

  await keycard.post('/api/auth/logout-all', { token: person.accessToken })
  const afterLogoutAll = await open()
  t.same(idsOf(await listed(afterLogoutAll)), [afterLogoutAll.sessionId])

  await keycard.app.revocation.revokeEveryone({ reason: 'test', origin: null })
  const afterEveryone = await open()
  t.same(idsOf(await listed(afterEveryone)), [afterEveryone.sessionId])

  advanceSeconds(4 * 86_400)
  const later = await open()
  t.equal((await listed(later)).length, 2)
  advanceSeconds(3 * 86_400)
  const next = tokensOf(await refresh(keycard, later.refreshToken))
  t.same(idsOf(await listed(next)), [later.sessionId], 'nor one that was idle for too long')
})

t.test('ends one session, at once and on both sides, and again without an error', async (t) => {
  const person = await keycard.register()
  const other = tokensOf(await logIn(keycard, person))
  const path = `/api/auth/sessions/${other.sessionId}`
  for (const attempt of ['first', 'second']) {
    const answer = await keycard.delete(path, { token: person.accessToken })
    t.equal(answer.status, 204, attempt)
    t.equal(answer.text, '')
  }
  t.equal(verdict(await me(keycard, other.accessToken)), 'TOKEN_REVOKED')
  t.equal(verdict(await refresh(keycard, other.refreshToken)), 'INVALID_REFRESH_TOKEN')
  t.equal(verdict(await me(keycard, person.accessToken)), 200)
  t.equal(verdict(await keycard.delete(path, { token: other.accessToken })), 'TOKEN_REVOKED')
})

t.test('ends its own session as well', async (t) => {
  const { accessToken: token, sessionId } = await keycard.register()
  t.equal((await keycard.delete(`/api/auth/sessions/${sessionId}`, { token })).status, 204)
  t.equal(verdict(await me(keycard, token)), 'TOKEN_REVOKED')
})

t.test('never ends a session of anybody else, nor says that there is one', async (t) => {
  const [ada, grace] = [await keycard.register(), await keycard.register()]
  const end = (id: string) => keycard.delete(`/api/auth/sessions/${id}`, { token: ada.accessToken })
  const theirs = await end(grace.sessionId)
  const nobodys = await end(randomUUID())
  t.equal(verdict(theirs), 'NOT_FOUND')
  t.same({ ...theirs.body, instance: '' }, { ...nobodys.body, instance: '' })
  t.equal(verdict(await me(keycard, grace.accessToken)), 200)
  t.equal(verdict(await refresh(keycard, grace.refreshToken)), 200)
})

t.test('an id that is none is not found', async (t) => {
  const { accessToken: token, sessionId, id: userId } = await keycard.register()
  for (const id of [
    'x',
    '0',
    '-1',
    'null',
    'current',
    userId,
    sessionId.toUpperCase(),
    sessionId.replaceAll('-', ''),
    `{${sessionId}}`,
    `${sessionId}%20`,
    `%20${sessionId}`,
    `${sessionId}%0A`,
    "'%20or%201=1--",
    '..%2Fsessions',
    '__proto__',
    '%E2%80%8B'
  ]) {
    const answer = await keycard.delete(`/api/auth/sessions/${id}`, { token })
    t.equal(verdict(answer), 'NOT_FOUND', id)
  }
  t.equal(verdict(await me(keycard, token)), 200)
})

t.test('a list or an end needs an access token', async (t) => {
  const { sessionId, refreshToken } = await keycard.register()
  const path = `/api/auth/sessions/${sessionId}`
  t.equal(verdict(await keycard.get('/api/auth/sessions')), 'MISSING_TOKEN')
  t.equal(verdict(await keycard.delete(path)), 'MISSING_TOKEN')
  t.equal(verdict(await keycard.delete(path, { token: refreshToken })), 'INVALID_TOKEN')
})
