import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import type { ProblemCode } from '../../src/problems.js'
import type { Answer } from '../support/client.js'
import { documentedRoutes, type Route } from '../support/contract.js'
import { startKeycard, type TestKeycard } from '../support/keycard.js'
import { createManualClock } from '../support/manual-clock.js'
import { assertProblem } from '../support/problem-assertions.js'
import { head, openConnection } from '../support/raw-connection.js'
import { me, verdict } from '../support/session-calls.js'

async function protectedRoutes(keycard: TestKeycard): Promise<Route[]> {
  const routes = await documentedRoutes(keycard)
  return routes.filter(({ operation }) =>
    // {} in the list would mean that it works without.
    operation.security?.every((scheme) => 'bearer' in scheme)
  )
}

function assertRefused(t: Test, answer: Answer, code: ProblemCode): void {
  assertProblem(t, { ...answer, body: answer.text }, code)
  const challenge = code === 'MISSING_TOKEN' ? 'Bearer' : 'Bearer error="invalid_token"'
  t.equal(answer.headers.get('www-authenticate'), challenge)
}

t.test('no protected route does anything without a good access token', async (t) => {
  const { clock, advanceSeconds } = createManualClock()
  const keycard = await startKeycard(t, { clock })
  const early = await keycard.register()
  advanceSeconds(901)
  const left = await keycard.register()
  const ada = await keycard.register()
  await keycard.post('/api/auth/logout', { token: left.accessToken })
  const tokens: [ProblemCode, string | undefined][] = [
    ['MISSING_TOKEN', undefined],
    ['INVALID_TOKEN', 'garbage'],
    ['INVALID_TOKEN', ada.refreshToken],
    ['TOKEN_EXPIRED', early.accessToken],
    ['TOKEN_REVOKED', left.accessToken]
  ]
  const routes = await protectedRoutes(keycard)
  t.equal(routes.length, 25)
  for (const { method, path } of routes) {
    for (const [code, token] of tokens) {
      t.comment(`${method} ${path}: ${code}`)
      const here = path.replace('{id}', ada.sessionId)
      assertRefused(t, await keycard.send(method, here, { token }), code)
    }
  }
  t.equal(verdict(await me(keycard, ada.accessToken)), 200, 'nobody was hurt')
})

t.test('a token counts in the Authorization header and nowhere else', async (t) => {
  const keycard = await startKeycard(t)
  const { accessToken: token } = await keycard.register()
  const form = `access_token=${token}`
  const elsewhere: Record<string, () => Promise<Answer>> = {
    'the query': () => keycard.get(`/api/auth/me?access_token=${token}`),
    'a cookie': () =>
      keycard.get('/api/auth/me', { headers: { cookie: `access_token=${token}; token=${token}` } }),
    'another header': () =>
      keycard.get('/api/auth/me', {
        headers: { 'x-access-token': token, 'proxy-authorization': `Bearer ${token}` }
      }),
    'a form': () =>
      keycard.post('/api/auth/password', {
        body: form,
        headers: { 'content-type': 'application/x-www-form-urlencoded' }
      }),
    'the body': () =>
      keycard.patch('/api/auth/me', { body: { access_token: token, token, accessToken: token } })
  }
  for (const [where, ask] of Object.entries(elsewhere)) {
    t.comment(where)
    assertRefused(t, await ask(), 'MISSING_TOKEN')
  }
})

t.test('the scheme has no case, and nothing but spaces before the token', async (t) => {
  const keycard = await startKeycard(t)
  const { accessToken: token } = await keycard.register()
  const cases: [header: string, outcome: number | ProblemCode][] = [
    [`Bearer ${token}`, 200],
    [`bearer ${token}`, 200],
    [`BEARER ${token}`, 200],
    [`Bearer    ${token}`, 200],
    [`Bearer ${token} `, 200],
    [`Bearer\t${token}`, 'INVALID_TOKEN'],
    ['Bearer', 'MISSING_TOKEN'],
    ['Bearer ', 'MISSING_TOKEN'],
    [`Bearer${token}`, 'MISSING_TOKEN'],
    [`Bearer:${token}`, 'MISSING_TOKEN'],
    [token, 'MISSING_TOKEN'],
    ['', 'MISSING_TOKEN'],
    [`Basic ${token}`, 'MISSING_TOKEN'],
    [`Basic ${Buffer.from(`user:${token}`).toString('base64')}`, 'MISSING_TOKEN'],
    [`Token ${token}`, 'MISSING_TOKEN'],
    [`Bearer "${token}"`, 'INVALID_TOKEN'],
    [`Bearer ${token} ${token}`, 'INVALID_TOKEN'],
    [`Bearer ${token}, Bearer ${token}`, 'INVALID_TOKEN'],
    [`Bearer ${token}\t${token}`, 'INVALID_TOKEN'],
    [`Bearer Bearer ${token}`, 'INVALID_TOKEN']
  ]
  const connection = await openConnection(t, Number(new URL(keycard.url).port))
  for (const [header, outcome] of cases) {
    const answer = await connection.ask('GET /api/auth/me', `Authorization: ${header}`)
    const what = header.replaceAll(token, 'TOKEN')
    if (typeof outcome === 'string') assertProblem(t, answer, outcome)
    else t.equal(answer.status, outcome, what)
  }
})

t.test('two Authorization headers are no request', async (t) => {
  const keycard = await startKeycard(t)
  const { accessToken: token } = await keycard.register()
  const connection = await openConnection(t, Number(new URL(keycard.url).port))
  const good = `Authorization: Bearer ${token}`
  for (const other of [good, 'authorization: Basic YTpi', 'AUTHORIZATION:']) {
    for (const route of ['GET /api/auth/me', 'POST /api/auth/logout', 'GET /health/live']) {
      assertProblem(t, await connection.ask(route, good, other), 'BAD_REQUEST')
      assertProblem(t, await connection.ask(route, other, good), 'BAD_REQUEST')
    }
  }
  connection.write(head('GET /api/auth/me', good))
  t.equal((await connection.answer()).status, 200, 'the session lives')
})

t.test('someone else can do nothing with an id that is not theirs', async (t) => {
  const keycard = await startKeycard(t)
  const [ada, eve] = [await keycard.register(), await keycard.register()]
  for (const id of [
    ada.sessionId,
    randomUUID(),
    ada.id,
    'current',
    '%2e%2e',
    ada.sessionId.toUpperCase()
  ]) {
    const answer = await keycard.delete(`/api/auth/sessions/${id}`, { token: eve.accessToken })
    assertProblem(t, { ...answer, body: answer.text }, 'NOT_FOUND')
  }
  t.equal(verdict(await me(keycard, ada.accessToken)), 200)
})
