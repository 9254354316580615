import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import guard, { authenticatedUser, type GuardOptions } from '../../src/plugins/guard.js'
import problems from '../../src/plugins/problems.js'
import { problem } from '../../src/problems.js'
import type { Verdict } from '../../src/revocation/decision.js'
import { newKeyRing } from '../support/key-rings.js'
import { createTestTokens, newGrant } from '../support/token-service.js'

const live: Verdict = { kind: 'live' }
const revoked: Verdict = { kind: 'revoked', by: 'user' }

/** Both ways of answering: at once, and with a promise. */
const styles: Record<string, (decide: () => Verdict) => GuardOptions['check']> = {
  'at once': (decide) => decide,
  'with a promise': (decide) => async () => decide()
}

/** An app whose check answers as the test says; its routes try each way of using a guard. */
async function setUp(t: Test, check: GuardOptions['check']) {
  const accessTokens = createTestTokens(newKeyRing('HS256'))
  const { token, claims } = accessTokens.issue(newGrant({ roles: ['user', 'editor'] }))
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(problems)
  let checks = 0
  await app.register(guard, {
    accessTokens,
    check: (asked, token) => {
      checks++
      return check(asked, token)
    }
  })
  addRoutes(app)
  const ask = async (url: string, authorization?: string) => {
    const headers = authorization === undefined ? {} : { authorization }
    const answer = await app.inject({ url, headers })
    const body: { code?: string; id?: string | null } = answer.json()
    return { status: answer.statusCode, ...body }
  }
  return { app, token, claims, ask, checks: () => checks }
}

function addRoutes(app: FastifyInstance): void {
  const who = async (request: { user: { id: string } | null }) => ({ id: request.user?.id ?? null })
  app.get('/hook', { onRequest: app.authenticate }, who)
  app.post('/write', { onRequest: app.authenticate }, who)
  app.get('/late-hook', { preHandler: [app.optionalAuth, app.authenticate] }, who)
  app.get('/optional', { onRequest: app.optionalAuth }, who)
  app.get('/editors', { onRequest: app.authorize('admin', 'editor') }, who)
  app.get('/admins', { onRequest: app.authorize('admin') }, who)
  app.get('/both', { onRequest: [app.authenticate, app.authorize('admin')] }, who)
  app.get('/by-hand', async (request, reply) => {
    await app.authenticate(request, reply)
    return { id: authenticatedUser(request).id }
  })
  const adminsOnly = app.authorize('admin')
  const inHook = {
    onRequest: async (...[request, reply]: Parameters<typeof adminsOnly>) => {
      await adminsOnly(request, reply)
    }
  }
  app.get('/admins-by-hand', inHook, who)
  app.get('/optional-by-hand', async (request, reply) => {
    await app.optionalAuth(request, reply)
    return await who(request)
  })
}

const everyRoute = [
  '/hook',
  '/late-hook',
  '/optional',
  '/editors',
  '/admins',
  '/both',
  '/by-hand',
  '/admins-by-hand',
  '/optional-by-hand'
]
const forAdmins = ['/admins', '/both', '/admins-by-hand']
const optional = ['/optional', '/optional-by-hand']

for (const [style, checkWith] of Object.entries(styles)) {
  t.test(`with a check that answers ${style}`, async (t) => {
    await t.test('whoever is known passes, and no further than their roles', async (t) => {
      const { ask, token, claims, checks } = await setUp(
        t,
        checkWith(() => live)
      )
      for (const route of everyRoute) {
        const before = checks()
        const expected = forAdmins.includes(route)
          ? { status: 403, code: 'FORBIDDEN' }
          : { status: 200, id: claims.sub }
        t.match(await ask(route, `Bearer ${token}`), expected, route)
        t.equal(checks() - before, 1, `${route} asks once`)
      }
    })

    await t.test('nobody passes where nobody need be known, and only there', async (t) => {
      const { ask, checks } = await setUp(
        t,
        checkWith(() => live)
      )
      for (const route of everyRoute) {
        const expected = optional.includes(route)
          ? { status: 200, id: null }
          : { status: 401, code: 'MISSING_TOKEN' }
        t.match(await ask(route), expected, route)
      }
      t.equal(checks(), 0)
    })

    await t.test('a token that is no good passes nowhere', async (t) => {
      const { ask, token } = await setUp(
        t,
        checkWith(() => revoked)
      )
      for (const route of everyRoute) {
        t.match(await ask(route, `Bearer ${token}`), { status: 401, code: 'TOKEN_REVOKED' }, route)
        t.match(await ask(route, 'Bearer x'), { status: 401, code: 'INVALID_TOKEN' }, route)
      }
    })

    await t.test('nobody passes where the check cannot know', async (t) => {
      const { ask, token } = await setUp(
        t,
        checkWith(() => {
          throw problem('DEPENDENCY_UNAVAILABLE')
        })
      )
      for (const route of everyRoute) {
        const expected = { status: 503, code: 'DEPENDENCY_UNAVAILABLE' }
        t.match(await ask(route, `Bearer ${token}`), expected, route)
      }
    })
  })
}

t.test('a revocation counts for a token that was verified before', async (t) => {
  const verdicts = [live, revoked]
  const { ask, token } = await setUp(t, () => verdicts.shift() ?? revoked)
  t.equal((await ask('/hook', `Bearer ${token}`)).status, 200)
  t.match(await ask('/hook', `Bearer ${token}`), { status: 401, code: 'TOKEN_REVOKED' })
})

t.test('the user is frozen, and one object for one token', async (t) => {
  const { app, token, claims } = await setUp(t, () => live)
  const seen: unknown[] = []
  app.get('/seen', { onRequest: app.authenticate }, async (request) => {
    seen.push(request.user)
    return {}
  })
  for (let count = 0; count < 2; count++) {
    await app.inject({ url: '/seen', headers: { authorization: `Bearer ${token}` } })
  }
  t.same(seen[0], {
    id: claims.sub,
    roles: ['user', 'editor'],
    sessionId: claims.sid,
    tokenId: claims.jti,
    version: claims.ver,
    generation: claims.gen,
    expiresAt: claims.exp
  })
  t.ok(Object.isFrozen(seen[0]))
  t.equal(seen[0], seen[1])
})

t.test('called by hand, a guard always answers with a promise', async (t) => {
  const { app, ask } = await setUp(t, () => live)
  app.get('/caught', async (request, reply) => {
    const refused = await app.authenticate(request, reply).then(
      () => 'passed',
      () => 'rejected'
    )
    return { id: refused }
  })
  t.equal((await ask('/caught')).id, 'rejected')
})

for (const [style, styled] of Object.entries(styles)) {
  t.test(`who has a body is judged again when it is there, answered ${style}`, async (t) => {
    const verdicts = [live, live, live, revoked]
    const { app, token, claims, checks } = await setUp(
      t,
      styled(() => verdicts.shift() ?? live)
    )
    const headers = { authorization: `Bearer ${token}` }
    const post = async (payload?: object) =>
      await app.inject({ method: 'POST', url: '/write', headers, ...(payload && { payload }) })
    t.equal((await post()).statusCode, 200)
    t.equal(checks(), 1, 'without a body there is nothing to wait for')
    const passed = await post({ name: 'Ada' })
    t.match(passed.json(), { id: claims.sub })
    const refused = await post({ name: 'Ada' })
    t.match(refused.json(), { code: 'TOKEN_REVOKED' })
    t.equal(refused.headers['www-authenticate'], 'Bearer error="invalid_token"')
    t.equal(checks(), 4)
  })
}
