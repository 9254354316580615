import t from 'tap'
import { startKeycard } from '../support/keycard.js'

t.test('from register to logout everywhere', async (t) => {
  const keycard = await startKeycard(t)
  const account = { email: 'Ada@Example.com', password: 'correct horse battery', name: 'Ada' }

  const registered = await keycard.post('/api/auth/register', { body: account })
  t.equal(registered.status, 201)
  t.match(registered.body, {
    user: { email: 'ada@example.com', name: 'Ada', roles: [], emailVerified: false },
    tokenType: 'Bearer',
    expiresIn: 900
  })
  t.equal(registered.body.refreshToken, undefined, 'the refresh token is in the cookie alone')
  t.match(registered.cookies, [/^keycard_refresh=.+HttpOnly; SameSite=Strict/])

  const loggedIn = await keycard.post('/api/auth/login', {
    body: { email: 'ada@example.com', password: account.password, tokenDelivery: 'body' }
  })
  t.equal(loggedIn.status, 200)
  t.same(loggedIn.cookies, [])

  const me = await keycard.get('/api/auth/me', { token: loggedIn.body.accessToken })
  t.equal(me.status, 200)
  t.same(me.body, { user: registered.body.user })

  const refreshed = await keycard.post('/api/auth/refresh', {
    body: { refreshToken: loggedIn.body.refreshToken }
  })
  t.equal(refreshed.status, 200)
  t.equal(refreshed.body.sessionId, loggedIn.body.sessionId)
  t.not(refreshed.body.refreshToken, loggedIn.body.refreshToken)

  const everywhere = await keycard.post('/api/auth/logout-all', {
    token: refreshed.body.accessToken
  })
  t.equal(everywhere.status, 200, everywhere.text)
  t.equal(everywhere.body.tokenVersion, 2)
  t.match(everywhere.body.receipt, { guarantee: 'applied', nodes: [{ appliedAfterMs: Number }] })

  for (const token of [registered, loggedIn, refreshed].map(({ body }) => body.accessToken)) {
    const dead = await keycard.get('/api/auth/me', { token })
    t.equal(dead.status, 401)
    t.equal(dead.body.code, 'TOKEN_REVOKED')
    t.equal(dead.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
  }
  const deadRefresh = await keycard.post('/api/auth/refresh', {
    body: { refreshToken: refreshed.body.refreshToken }
  })
  t.equal(deadRefresh.status, 401)
  t.equal(deadRefresh.body.code, 'INVALID_REFRESH_TOKEN')
})
