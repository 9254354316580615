import t from 'tap'
import type { Answer } from '../support/client.js'
import { startKeycard, type TestKeycard } from '../support/keycard.js'
import {
  assertLives,
  me,
  refresh,
  sessionRow,
  tokensOf,
  verdict
} from '../support/session-calls.js'

const ownOrigin = 'http://keycard.test'
const allowedOrigin = 'https://app.example'
const keycard = await startKeycard(t, {
  env: { PUBLIC_URL: ownOrigin, ALLOWED_ORIGINS: allowedOrigin }
})
const attributes = 'HttpOnly; SameSite=Strict'

interface CookieSession {
  readonly sessionId: string
  readonly accessToken: string
  /** As a browser sends it back. */
  readonly cookie: string
}

async function openByCookie(service: TestKeycard): Promise<CookieSession> {
  const { email, password } = await service.register()
  const answer = await service.post('/api/auth/login', { body: { email, password } })
  const { sessionId = '', accessToken = '' } = answer.body
  return { sessionId, accessToken, cookie: cookieOf(answer) }
}

function cookieOf({ cookies }: Answer): string {
  return /^[^;]+/.exec(cookies[0] ?? '')?.[0] ?? ''
}

const tokenIn = (cookie: string) => cookie.slice(cookie.indexOf('=') + 1)

t.test('a session in a cookie goes on in the cookie', async (t) => {
  const { cookie, sessionId } = await openByCookie(keycard)
  for (const ask of [{}, { body: {} }, { body: 'null' }]) {
    const answer = await keycard.post('/api/auth/refresh', { ...ask, headers: { cookie } })
    t.equal(answer.status, 200)
    t.equal(answer.body.sessionId, sessionId)
    t.notOk('refreshToken' in answer.body, 'script never sees the refresh token')
    t.equal(answer.cookies.length, 1)
    t.match(answer.cookies[0], /^keycard_refresh=[\w-]{70}; Max-Age=\d+; Path=\/; /)
    t.ok(answer.cookies[0]?.endsWith(attributes))
    t.notMatch(answer.cookies[0], /Secure|Domain/)
  }
})

t.test('over HTTPS the cookie has the prefix of which browsers make sure', async (t) => {
  const secure = await startKeycard(t, { env: { PUBLIC_URL: 'https://auth.example' } })
  const { email, password } = await secure.register()
  const answer = await secure.post('/api/auth/login', { body: { email, password } })
  const [set = ''] = answer.cookies
  t.match(set, /^__Host-keycard_refresh=[\w-]{70}; Max-Age=604800; Path=\/; /)
  t.ok(set.endsWith('HttpOnly; Secure; SameSite=Strict'), set)
  t.notMatch(set, /Domain/)
  const cookie = cookieOf(answer)

  const tossed = cookie.replace('__Host-', '')
  const unprefixed = await secure.post('/api/auth/refresh', { headers: { cookie: tossed } })
  t.equal(verdict(unprefixed), 'INVALID_REFRESH_TOKEN', 'a sibling domain can set that one')
  const beside = { cookie: `keycard_refresh=x; ${cookie}` }
  t.equal(verdict(await secure.post('/api/auth/refresh', { headers: beside })), 200)

  const out = await secure.post('/api/auth/logout', { headers: { cookie } })
  t.equal(out.status, 204)
  const [cleared = ''] = out.cookies
  t.match(cleared, /^__Host-keycard_refresh=; (Max-Age=0; )?Path=\/; Expires=Thu, 01 Jan 1970/)
  t.ok(cleared.endsWith('HttpOnly; Secure; SameSite=Strict'), cleared)
})

t.test('with a token in the body the cookie is left alone', async (t) => {
  const inCookie = await openByCookie(keycard)
  const inBody = await keycard.register()
  const headers = { cookie: inCookie.cookie, origin: 'https://evil.example' }
  const ask = { headers, body: { refreshToken: inBody.refreshToken } }

  const answer = await keycard.post('/api/auth/refresh', ask)
  t.equal(tokensOf(answer).sessionId, inBody.sessionId)
  t.same(answer.cookies, [])
  t.equal((await sessionRow(keycard, inCookie.sessionId)).counter, 0)

  const forged = { headers, body: { refreshToken: 'x' } }
  const refused = await keycard.post('/api/auth/refresh', forged)
  t.equal(verdict(refused), 'INVALID_REFRESH_TOKEN', 'the cookie does not stand in for it')

  const out = await keycard.post('/api/auth/logout', ask)
  t.equal(out.status, 204)
  t.same(out.cookies, [])
  t.equal(verdict(await me(keycard, inBody.accessToken)), 'TOKEN_REVOKED')
  t.equal(verdict(await me(keycard, inCookie.accessToken)), 200)
})

t.test('a refusal never takes the cookie away: another tab may have a better one', async (t) => {
  const { cookie, accessToken } = await openByCookie(keycard)
  const second = await keycard.post('/api/auth/refresh', { headers: { cookie } })
  await keycard.post('/api/auth/refresh', { headers: { cookie: cookieOf(second) } })
  for (const [expected, sent] of [
    ['REFRESH_REUSED', cookie],
    ['INVALID_REFRESH_TOKEN', cookieOf(second).slice(0, -1)],
    ['INVALID_REFRESH_TOKEN', 'keycard_refresh='],
    ['INVALID_REFRESH_TOKEN', 'other=1']
  ] as const) {
    const refused = await keycard.post('/api/auth/refresh', { headers: { cookie: sent } })
    t.equal(verdict(refused), expected)
    t.same(refused.cookies, [])
  }
  t.equal(verdict(await me(keycard, accessToken)), 'TOKEN_REVOKED')
})

const origins: [origin: string | undefined, site: string | undefined, passes: boolean][] = [
  [undefined, undefined, true],
  [ownOrigin, undefined, true],
  [ownOrigin, 'same-origin', true],
  [allowedOrigin, undefined, true],
  [allowedOrigin, 'cross-site', true],
  [undefined, 'same-origin', true],
  [undefined, 'none', true],
  [undefined, 'same-site', false],
  [undefined, 'cross-site', false],
  [undefined, '', false],
  [undefined, 'Same-Origin', false],
  [undefined, 'same-origin, cross-site', false],
  [ownOrigin, 'same-origin, cross-site', false],
  ['https://evil.example', undefined, false],
  ['https://evil.example', 'same-origin', false],
  ['null', undefined, false],
  ['null', 'same-origin', false],
  ['', undefined, false],
  ['https://keycard.test', undefined, false],
  [`${ownOrigin}:80`, undefined, false],
  [`${ownOrigin}:8080`, undefined, false],
  [`${ownOrigin}/`, undefined, false],
  [`${ownOrigin}.evil.example`, undefined, false],
  ['http://evil.keycard.test', undefined, false],
  ['http://KEYCARD.test', undefined, false],
  [`${ownOrigin}, https://evil.example`, undefined, false],
  [`https://evil.example, ${ownOrigin}`, undefined, false],
  ['https://app.example.evil.example', undefined, false],
  ['http://app.example', undefined, false]
]

for (const [origin, site, passes] of origins) {
  const name = `Origin ${origin ?? '–'}, Sec-Fetch-Site ${site ?? '–'}`
  t.test(`${passes ? 'the cookie counts' : 'the cookie is refused'} with ${name}`, async (t) => {
    const { cookie, sessionId, accessToken } = await openByCookie(keycard)
    const headers = {
      cookie,
      ...(origin === undefined ? {} : { origin }),
      ...(site === undefined ? {} : { 'sec-fetch-site': site })
    }
    const before = await sessionRow(keycard, sessionId)
    const refreshed = await keycard.post('/api/auth/refresh', { headers })
    t.equal(verdict(refreshed), passes ? 200 : 'CROSS_ORIGIN')
    t.equal(refreshed.cookies.length, passes ? 1 : 0)
    if (!passes) t.same(await sessionRow(keycard, sessionId), before)

    const out = await keycard.post('/api/auth/logout', { headers })
    t.equal(verdict(out), passes ? 204 : 'CROSS_ORIGIN')
    t.equal(out.cookies.length, passes ? 1 : 0)
    t.equal((await me(keycard, accessToken)).status, passes ? 401 : 200)
    if (!passes)
      await assertLives(t, keycard, {
        ...before,
        accessToken,
        refreshToken: tokenIn(cookie),
        sessionId
      })
  })
}

t.test('an access token asks for no origin: no page can send it behind our back', async (t) => {
  const { cookie, accessToken } = await openByCookie(keycard)
  const headers = { cookie, origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  const out = await keycard.post('/api/auth/logout', { token: accessToken, headers })
  t.equal(out.status, 204)
  t.match(out.cookies, [/^keycard_refresh=; .*Expires=Thu, 01 Jan 1970/])
  t.equal(verdict(await refresh(keycard, tokenIn(cookie))), 'INVALID_REFRESH_TOKEN')
})

t.test('the cookie is cleared where its session ended, and nowhere else', async (t) => {
  const clears = ({ cookies }: Answer) => cookies.length === 1 && /=; /.test(cookies[0] ?? '')
  const { password, email } = await keycard.register()
  const open = async () => {
    const answer = await keycard.post('/api/auth/login', { body: { email, password } })
    const { sessionId = '', accessToken = '' } = answer.body
    return { sessionId, token: accessToken }
  }
  const [first, second] = [await open(), await open()]
  const endOther = await keycard.delete(`/api/auth/sessions/${second.sessionId}`, first)
  t.same([endOther.status, clears(endOther)], [204, false])
  const endOwn = await keycard.delete(`/api/auth/sessions/${first.sessionId}`, first)
  t.same([endOwn.status, clears(endOwn)], [204, true])

  const third = await open()
  const change = { ...third, body: { currentPassword: password, newPassword: password } }
  t.same((await keycard.post('/api/auth/password', change)).cookies, [])

  const fourth = await open()
  t.ok(clears(await keycard.post('/api/auth/logout-all', fourth)))
  const wrong = { ...(await open()), body: { password: 'wrong' } }
  t.same((await keycard.delete('/api/auth/me', wrong)).cookies, [])
  const right = { ...(await open()), body: { password } }
  t.ok(clears(await keycard.delete('/api/auth/me', right)))
})
