import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { Ask } from '../support/client.js'
import { readContract } from '../support/contract.js'
import { startKeycard, type Person, type TestKeycard } from '../support/keycard.js'
import { logIn, me, refresh, tokensOf, verdict } from '../support/session-calls.js'

t.test('what proxies and frameworks say by headers is not believed', async (t) => {
  const keycard = await startKeycard(t)
  const ada = await keycard.register()
  const token = ada.accessToken
  const tricks: Record<string, string> = {
    'x-http-method-override': 'DELETE',
    'x-method-override': 'DELETE',
    'x-original-url': '/api/auth/sessions',
    'x-rewrite-url': '/api/auth/sessions',
    'x-forwarded-prefix': '/admin',
    'x-forwarded-for': '203.0.113.9',
    'x-real-ip': '203.0.113.9',
    'x-forwarded-host': 'attacker.example',
    'x-forwarded-proto': 'https',
    'x-user-id': 'admin',
    'x-request-id': 'mine',
    'request-id': 'mine'
  }
  const answer = await keycard.get('/api/auth/me', { token, headers: tricks })
  t.equal(answer.status, 200)
  t.match(answer.body, { user: { id: ada.id } })
  t.not(answer.headers.get('x-request-id'), 'mine')

  const { email, password } = ada
  const login = { body: { email, password }, headers: tricks }
  t.equal((await keycard.post('/api/auth/login', login)).status, 200)
  const { sessions = [] } = (await keycard.get('/api/auth/sessions', { token, headers: tricks }))
    .body
  t.same(new Set(sessions.map(({ ip }) => ip)), new Set(['127.0.0.1']))
})

t.test('a cookie with tricks is the right one, or none', async (t) => {
  const keycard = await startKeycard(t)
  const refreshBy = async (cookie: string) =>
    verdict(await keycard.post('/api/auth/refresh', { headers: { cookie } }))
  const { refreshToken: good } = await keycard.register()
  for (const cookie of [
    `__Host-keycard_refresh=${good}`,
    `__Secure-keycard_refresh=${good}`,
    `Keycard_Refresh=${good}`,
    `keycard_refresh[]=${good}`,
    `keycard_refresh.value=${good}`,
    `keycard_refresh%3D${good}`,
    `keycard_refresh=${good}x`,
    `keycard_refresh=j:"${good}"`,
    `keycard_refresh=s:${good}.sig`,
    'keycard_refresh=',
    'keycard_refresh',
    'keycard_refresh=%',
    'keycard_refresh=%00',
    '__proto__=x; constructor=y; hasOwnProperty=z',
    ';;;=;= ;',
    'x'.repeat(8_000)
  ]) {
    t.equal(
      await refreshBy(cookie),
      'INVALID_REFRESH_TOKEN',
      cookie.replaceAll(good, 'TOKEN').slice(0, 60)
    )
  }
  t.equal(await refreshBy(`other="; keycard_refresh=${good}; __proto__=x`), 200)
})

/** Anything that a client could take for a request to one of the routes. */
function anyRequest(paths: readonly string[], tokens: readonly string[]) {
  const fields = ['email', 'password', 'name', 'tokenDelivery', 'refreshToken', 'roles']
  const field = fc.constantFrom(...fields, 'currentPassword', 'newPassword', 'id', 'constructor')
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom(...tokens, 'a@example.com', 'body'))
  const body = fc.oneof(
    fc.dictionary(field, value, { maxKeys: 5 }),
    fc.jsonValue(),
    fc.string(),
    fc.constant(undefined)
  )
  const token = fc.option(fc.constantFrom(...tokens), { nil: undefined })
  const id = fc.string({ minLength: 1, maxLength: 40 }).map(encodeURIComponent)
  return fc.record({
    method: fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE', 'PUT'),
    path: fc
      .tuple(fc.constantFrom(...paths), id, fc.webQueryParameters())
      .map(([path, id, query]) => `${path.replace('{id}', id)}?${query}`),
    token,
    cookie: fc.option(fc.constantFrom(...tokens)),
    type: fc.constantFrom('application/json', 'application/json; charset=utf-8', 'text/plain'),
    body
  })
}

type AnyRequest = ReturnType<typeof anyRequest> extends fc.Arbitrary<infer T> ? T : never

function asAsk({ method, token, cookie, type, body }: AnyRequest): Ask {
  const headers = { 'content-type': type, ...(cookie && { cookie: `keycard_refresh=${cookie}` }) }
  return { token, headers, ...(method === 'GET' ? {} : { body }) }
}

async function assertUnharmed(t: Test, keycard: TestKeycard, ada: Person): Promise<void> {
  t.equal(verdict(await me(keycard, ada.accessToken)), 200)
  t.equal(verdict(await refresh(keycard, ada.refreshToken)), 200)
  t.equal(verdict(await logIn(keycard, ada)), 200)
}

t.test('no request is answered otherwise than promised, or harms anybody else', async (t) => {
  const keycard = await startKeycard(t)
  const contract = await readContract(keycard)
  const ada = await keycard.register()
  const eve = await keycard.register()
  const second = tokensOf(await logIn(keycard, eve))
  const tokens = [eve.accessToken, eve.refreshToken, second.refreshToken, 'garbage']
  const paths = [...new Set(contract.routes.map(({ path }) => path))]
  await fc.assert(
    fc.asyncProperty(anyRequest(paths, tokens), async (request) => {
      const { method, path } = request
      const answer = await keycard.send(method, path, asAsk(request))
      const broken = await contract.violations(method, path, answer)
      if (answer.status >= 500) broken.push(`${answer.status} ${answer.text}`)
      if (broken.length > 0) throw new Error(broken.join('\n'))
    }),
    { numRuns: 250 }
  )
  await assertUnharmed(t, keycard, ada)
})
