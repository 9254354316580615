import { eq } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { users } from '../../../src/database/schema.js'
import type { ProblemCode } from '../../../src/problems.js'
import type { Answer, Ask } from '../../support/client.js'
import { documentedRoutes } from '../../support/contract.js'
import { type Person, startKeycard, type TestKeycard } from '../../support/keycard.js'
import { registerAdmin, registerAs, setUser } from '../../support/operators.js'
import { startPostgres } from '../../support/postgres.js'
import { startRedis } from '../../support/redis.js'
import { listSessions, me, refresh, tokensOf, verdict } from '../../support/session-calls.js'

const bodies: Record<string, unknown> = {
  '/api/admin/clients': { name: 'orders' },
  '/api/admin/revocations': {
    target: { kind: 'everyone', confirm: 'everyone' },
    reason: 'to see whether it works'
  }
}

/** Asks every route under /api/admin. */
async function askAll(keycard: TestKeycard, ask: Ask): Promise<Answer[]> {
  const routes = await documentedRoutes(keycard)
  const ours = routes.filter(({ path }) => path.startsWith('/api/admin/'))
  return await Promise.all(
    ours.map(({ method, path }) => {
      const id = '018f0000-0000-7000-8000-000000000000'
      const body = method === 'POST' ? bodies[path] : undefined
      return keycard.send(method, path.replace('{id}', id), { ...ask, body })
    })
  )
}

/** Asserts that all of them refuse the token, and that nothing was done. */
async function assertOut(
  t: Test,
  keycard: TestKeycard,
  token: string | undefined,
  code: ProblemCode
): Promise<void> {
  const witness = await keycard.register()
  const answers = await askAll(keycard, { token })
  t.ok(answers.length >= 4)
  for (const answer of answers) {
    t.equal(verdict(answer), code)
    t.ok(answer.status === 503 || answer.headers.get('www-authenticate')?.startsWith('Bearer'))
  }
  t.equal(verdict(await me(keycard, witness.accessToken)), 200, 'nobody was revoked')
}

async function mayList(keycard: TestKeycard, { accessToken }: Pick<Person, 'accessToken'>) {
  return verdict(await keycard.get('/api/admin/clients', { token: accessToken }))
}

t.test('whoever is no administrator is out', async (t) => {
  const keycard = await startKeycard(t)
  await assertOut(t, keycard, undefined, 'MISSING_TOKEN')
  await assertOut(t, keycard, 'garbage', 'INVALID_TOKEN')
  for (const roles of [[], ['user'], ['moderator'], ['Admin'], ['admin '], ['administrator']]) {
    const { accessToken } = await registerAs(keycard, roles)
    await assertOut(t, keycard, accessToken, 'FORBIDDEN')
  }
  const [refused] = await askAll(keycard, { token: (await keycard.register()).accessToken })
  t.equal(refused?.headers.get('www-authenticate'), 'Bearer error="insufficient_scope"')
})

t.test('nobody makes an administrator of themselves', async (t) => {
  const keycard = await startKeycard(t)
  const eve = await keycard.register()
  const roles = ['admin']
  const tries: [string, string, unknown][] = [
    ['POST', '/api/auth/register', { email: 'e@x.example', password: 'p', name: 'E', roles }],
    ['POST', '/api/auth/login', { email: eve.email, password: eve.password, roles }],
    ['PATCH', '/api/auth/me', { name: 'Eve', roles }],
    ['POST', '/api/auth/refresh', { refreshToken: eve.refreshToken, roles }]
  ]
  for (const [method, path, body] of tries) {
    const answer = await keycard.send(method, path, { token: eve.accessToken, body })
    t.equal(verdict(answer), 'VALIDATION_FAILED', path)
  }
  const next = tokensOf(await refresh(keycard, eve.refreshToken))
  await assertOut(t, keycard, next.accessToken, 'FORBIDDEN')
})

t.test('an administrator who is none any more is out at once', async (t) => {
  const keycard = await startKeycard(t)

  const downgraded = await registerAdmin(keycard)
  t.equal(await mayList(keycard, downgraded), 200)
  await setUser(keycard, downgraded.id, { roles: ['moderator'] })
  t.equal(verdict(await me(keycard, downgraded.accessToken)), 200, 'the token itself lives')
  await assertOut(t, keycard, downgraded.accessToken, 'FORBIDDEN')

  const disabled = await registerAdmin(keycard)
  t.equal(await mayList(keycard, disabled), 200)
  await setUser(keycard, disabled.id, { disabledAt: new Date() })
  await assertOut(t, keycard, disabled.accessToken, 'TOKEN_REVOKED')

  const loggedOut = await registerAdmin(keycard)
  await keycard.post('/api/auth/logout-all', { token: loggedOut.accessToken })
  await assertOut(t, keycard, loggedOut.accessToken, 'TOKEN_REVOKED')

  const gone = await registerAdmin(keycard)
  const { accessToken: token, password } = gone
  await keycard.delete('/api/auth/me', { token, body: { password } })
  await assertOut(t, keycard, gone.accessToken, 'TOKEN_REVOKED')
})

t.test('also where no node was told that the account is gone', async (t) => {
  const redis = await startRedis(t)
  const keycard = await startKeycard(t, {
    redisUrl: redis.url,
    env: { REVOCATION_MODE: 'redis' }
  })
  const gone = await registerAdmin(keycard)
  await keycard.app.database.write((db) => db.delete(users).where(eq(users.id, gone.id)))
  t.equal(
    verdict(await listSessions(keycard, gone.accessToken)),
    200,
    'the deny-list knows nothing'
  )
  await assertOut(t, keycard, gone.accessToken, 'TOKEN_REVOKED')
})

t.test('a new administrator needs a token that says so', async (t) => {
  const keycard = await startKeycard(t)
  const ada = await keycard.register()
  await setUser(keycard, ada.id, { roles: ['admin'] })
  t.equal(await mayList(keycard, ada), 'FORBIDDEN')
  t.equal(await mayList(keycard, tokensOf(await refresh(keycard, ada.refreshToken))), 200)
})

t.test('the administrator of the first start is one', async (t) => {
  const admin = { email: 'root@example.com', password: 'correct horse battery' }
  const keycard = await startKeycard(t, {
    env: { BOOTSTRAP_ADMIN_EMAIL: admin.email, BOOTSTRAP_ADMIN_PASSWORD: admin.password }
  })
  const { body } = await keycard.post('/api/auth/login', { body: admin })
  t.equal(await mayList(keycard, { accessToken: body.accessToken ?? '' }), 200)
})

t.test('where Postgres is away nobody can know, so nobody passes', async (t) => {
  const server = await startPostgres(t)
  const keycard = await startKeycard(t, { databaseUrl: server.url })
  const { accessToken: token } = await registerAdmin(keycard)
  await server.kill()
  for (const answer of await askAll(keycard, { token })) {
    t.equal(verdict(answer), 'DEPENDENCY_UNAVAILABLE')
    t.match(answer.headers.get('retry-after'), /^[1-9]\d*$/)
  }
})
