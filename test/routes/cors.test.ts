import t, { type Test } from 'tap'
import { documentedRoutes } from '../support/contract.js'
import { startKeycard, type TestKeycard } from '../support/keycard.js'
import { verdict } from '../support/session-calls.js'

const app = 'https://app.example.com'
const foreign = 'https://attacker.example'

async function start(t: Test): Promise<TestKeycard> {
  return await startKeycard(t, { env: { ALLOWED_ORIGINS: `${app},https://other.example.com` } })
}

const preflight = (method: string, headers = 'authorization,content-type') => ({
  'access-control-request-method': method,
  'access-control-request-headers': headers
})

t.test('pages of an allowed origin may call every route with credentials', async (t) => {
  const keycard = await start(t)
  for (const { method, path } of await documentedRoutes(keycard)) {
    const { status, headers } = await keycard.send('OPTIONS', path, {
      headers: { origin: app, ...preflight(method) }
    })
    t.equal(status, 204, `${method} ${path}`)
    t.equal(headers.get('access-control-allow-origin'), app)
    t.equal(headers.get('access-control-allow-credentials'), 'true')
    t.ok(headers.get('access-control-allow-methods')?.split(', ').includes(method))
    t.match(headers.get('access-control-allow-headers'), /authorization, ?content-type/)
    t.match(headers.get('vary'), /origin/i)
  }
})

t.test('the answer, good or bad, can be read by the page that asked', async (t) => {
  const keycard = await start(t)
  const { accessToken: token } = await keycard.register()
  const asked = [
    await keycard.get('/api/auth/me', { token, headers: { origin: app } }),
    await keycard.get('/api/auth/me', { headers: { origin: app } }),
    await keycard.get('/nothing', { headers: { origin: app } }),
    await keycard.post('/api/auth/login', { body: '{', headers: { origin: app } })
  ]
  t.same(asked.map(verdict), [200, 'MISSING_TOKEN', 'NOT_FOUND', 'MALFORMED_BODY'])
  for (const { headers } of asked) {
    t.equal(headers.get('access-control-allow-origin'), app)
    t.equal(headers.get('access-control-allow-credentials'), 'true')
    t.match(headers.get('access-control-expose-headers'), /x-request-id.*www-authenticate/)
  }
})

t.test('pages of any other origin read nothing', async (t) => {
  const keycard = await start(t)
  const { accessToken: token } = await keycard.register()
  const others = [
    foreign,
    'null',
    `${app}.attacker.example`,
    'http://app.example.com',
    `${app}:444`
  ]
  for (const origin of others) {
    const asked = [
      await keycard.send('OPTIONS', '/api/auth/me', { headers: { origin, ...preflight('GET') } }),
      await keycard.get('/api/auth/me', { token, headers: { origin } })
    ]
    t.same(asked.map(verdict), ['METHOD_NOT_ALLOWED', 200], origin)
    for (const { headers } of asked) {
      t.equal(headers.get('access-control-allow-origin'), null)
      t.equal(headers.get('access-control-allow-credentials'), null)
    }
  }
})

t.test('the refresh cookie works from an allowed origin and from no other', async (t) => {
  const keycard = await start(t)
  const { refreshToken } = await keycard.register()
  const refresh = (headers: Record<string, string>) =>
    keycard.post('/api/auth/refresh', {
      headers: { cookie: `keycard_refresh=${refreshToken}`, ...headers }
    })
  for (const headers of [{ origin: foreign }, { 'sec-fetch-site': 'cross-site' }]) {
    t.equal(verdict(await refresh(headers)), 'CROSS_ORIGIN')
  }
  const answer = await refresh({ origin: app, 'sec-fetch-site': 'same-site' })
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('access-control-allow-origin'), app)
  t.equal(answer.cookies.length, 1)
})

t.test('without ALLOWED_ORIGINS there is no CORS at all', async (t) => {
  const keycard = await startKeycard(t)
  const headers = { origin: keycard.config.publicUrl, ...preflight('GET') }
  const answer = await keycard.send('OPTIONS', '/api/auth/me', { headers })
  t.equal(verdict(answer), 'METHOD_NOT_ALLOWED')
  t.equal(answer.headers.get('access-control-allow-origin'), null)
})
