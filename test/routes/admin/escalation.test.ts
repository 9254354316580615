import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import t, { type Test } from 'tap'
import type { ProblemCode } from '../../../src/problems.js'
import { documentedRoutes, type Route } from '../../support/contract.js'
import { type Person, startKeycard } from '../../support/keycard.js'
import { registerAdmin, registerAs, setUser } from '../../support/operators.js'
import { head, openConnection } from '../../support/raw-connection.js'
import { refresh, tokensOf, verdict } from '../../support/session-calls.js'
import { administration, newPerson } from '../../support/user-administration.js'

const keycard = await startKeycard(t)
const admin = await registerAdmin(keycard)
const victim = await keycard.register()
const routes = (await documentedRoutes(keycard)).filter(({ path }) =>
  path.startsWith('/api/admin/')
)

/** What each route would take from an administrator. A route that has a body and none here fails. */
const bodies: Record<string, unknown> = {
  'POST /api/admin/clients': { name: 'orders' },
  'POST /api/admin/incidents': {
    target: { kind: 'everyone', confirm: 'everyone' },
    reason: 'to see whether it works'
  },
  'POST /api/admin/revocations': {
    target: { kind: 'everyone', confirm: 'everyone' },
    reason: 'to see whether it works'
  },
  'POST /api/admin/users': { ...newPerson(), roles: ['admin'] },
  'PATCH /api/admin/users/{id}': { roles: ['admin'], disabled: true }
}

const nameOf = ({ method, path }: Route) => `${method} ${path}`
const pathOf = ({ path }: Route, id = victim.id) => path.replace('{id}', id)

/** All that an admin route could change or add. */
async function everything(): Promise<unknown> {
  return await keycard.app.database.read((db) =>
    db.execute(sql`
      select (select json_agg(u order by id) from users u) as users,
             (select json_agg(r order by id) from revocations r) as revocations,
             (select json_agg(c order by id) from clients c) as clients,
             (select json_agg(i order by id) from incidents i) as incidents,
             (select count(*)::int from sessions) as sessions,
             (select generation from deployment) as generation`)
  )
}

/** Asserts that what `attempts` does has no effect, whatever it is answered. */
async function assertNothingHappens(t: Test, attempts: () => Promise<unknown>): Promise<void> {
  const before = await everything()
  await attempts()
  t.same(await everything(), before, 'nothing happened')
}

async function assertOut(
  t: Test,
  token: string | undefined,
  code: ProblemCode,
  challenge: string
): Promise<void> {
  await assertNothingHappens(t, async () => {
    for (const route of routes) {
      const body = bodies[nameOf(route)]
      const answer = await keycard.send(route.method, pathOf(route), { token, body })
      t.equal(verdict(answer), code, nameOf(route))
      t.equal(answer.headers.get('www-authenticate'), challenge, nameOf(route))
      t.notMatch(answer.text, victim.email)
    }
  })
}

const refusals = [400, 401, 403, 404, 405]
const insufficient = 'Bearer error="insufficient_scope"'
const invalid = 'Bearer error="invalid_token"'

t.test('each route is asked as an administrator would', (t) => {
  t.ok(routes.length >= 11)
  const withBody = routes.filter(({ operation }) => operation.requestBody !== undefined)
  t.same(withBody.map(nameOf).sort(), Object.keys(bodies).sort())
  t.end()
})

t.test('whoever has no token, or none that is any good', async (t) => {
  await assertOut(t, undefined, 'MISSING_TOKEN', 'Bearer')
  await assertOut(t, 'garbage', 'INVALID_TOKEN', invalid)
  await assertOut(t, victim.refreshToken, 'INVALID_TOKEN', invalid)
  const { accessToken } = admin
  const [header = '', claims = '', signature = ''] = accessToken.split('.')
  const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')
  await assertOut(t, `${none}.${claims}.`, 'INVALID_TOKEN', invalid)
  const ordinary = victim.accessToken.split('.')
  await assertOut(t, `${ordinary[0]}.${claims}.${ordinary[2]}`, 'INVALID_TOKEN', invalid)
  await assertOut(t, `${header}.${ordinary[1]}.${signature}`, 'INVALID_TOKEN', invalid)
})

t.test('whoever has another role, though it looks alike', async (t) => {
  await assertOut(t, victim.accessToken, 'FORBIDDEN', insufficient)
  for (const role of ['moderator', 'Admin', 'admin ', 'administrator', 'admin,admin', '*']) {
    const { accessToken } = await registerAs(keycard, [role])
    await assertOut(t, accessToken, 'FORBIDDEN', insufficient)
  }
})

t.test('whoever was an administrator', async (t) => {
  const users = administration(keycard, admin)
  async function former(end: (person: Person) => Promise<unknown>): Promise<Person> {
    const person = await registerAdmin(keycard)
    t.equal(verdict(await administration(keycard, person).list()), 200)
    await end(person)
    return person
  }
  const downgraded = await former(({ id }) => users.change(id, { roles: ['ops'] }))
  await assertOut(t, downgraded.accessToken, 'TOKEN_REVOKED', invalid)
  const { accessToken } = tokensOf(await refresh(keycard, downgraded.refreshToken))
  await assertOut(t, accessToken, 'FORBIDDEN', insufficient)
  const byHand = await former(({ id }) => setUser(keycard, id, { roles: ['ops'] }))
  await assertOut(t, byHand.accessToken, 'FORBIDDEN', insufficient)

  const disabled = await former(({ id }) => users.change(id, { disabled: true }))
  await assertOut(t, disabled.accessToken, 'TOKEN_REVOKED', invalid)
  await users.change(disabled.id, { disabled: false })
  await assertOut(t, disabled.accessToken, 'TOKEN_REVOKED', invalid)

  const deleted = await former(({ id }) => users.remove(id))
  await assertOut(t, deleted.accessToken, 'TOKEN_REVOKED', invalid)
  const gone = await former(({ accessToken: token, password }) =>
    keycard.delete('/api/auth/me', { token, body: { password } })
  )
  await assertOut(t, gone.accessToken, 'TOKEN_REVOKED', invalid)
})

t.test('whoever is an administrator by now, with a token from before', async (t) => {
  const promoted = await keycard.register()
  await administration(keycard, admin).change(promoted.id, { roles: ['admin'] })
  await assertOut(t, promoted.accessToken, 'TOKEN_REVOKED', invalid)
  const next = tokensOf(await refresh(keycard, promoted.refreshToken))
  t.equal(verdict(await administration(keycard, next).list()), 200)

  const byHand = await keycard.register()
  await setUser(keycard, byHand.id, { roles: ['admin'] })
  await assertOut(t, byHand.accessToken, 'FORBIDDEN', insufficient)
})

t.test('no other spelling of a path leads past the guard', async (t) => {
  const passed: string[] = []
  await assertNothingHappens(t, async () => {
    const connection = await openConnection(t, Number(new URL(keycard.url).port))
    for (const route of routes) {
      const path = pathOf(route)
      const body = JSON.stringify(bodies[nameOf(route)])
      for (const spelling of spellingsOf(path)) {
        const answer = await ask(route.method, spelling, body)
        if (!refusals.includes(answer)) passed.push(`${route.method} ${spelling}: ${answer}`)
      }
    }

    t.same(passed, [])

    async function ask(method: string, path: string, body: string | undefined): Promise<number> {
      const ofBody = ['Content-Type: application/json', `Content-Length: ${body?.length ?? 0}`]
      const headers = [`Authorization: Bearer ${victim.accessToken}`, ...(body ? ofBody : [])]
      connection.write(`${head(`${method} ${path}`, ...headers)}${body ?? ''}`)
      return (await connection.answer()).status
    }
  })
})

function spellingsOf(path: string): string[] {
  return [
    path,
    `/${path}`,
    `${path}/`,
    path.replace('/api/admin/', '/api//admin/'),
    path.replace('/api/admin/', '/api/auth/../admin/'),
    path.replace('/api/admin/', '/api/auth/%2e%2e/admin/'),
    path.replace('/api/admin/', '/api/./admin/'),
    path.replace('/api/admin/', '/api%2fadmin/'),
    path.replace('/api/admin/', '/API/ADMIN/'),
    path.replace('/api/admin/', '/api/%61dmin/'),
    path.replace('/api/admin/', '/api/admin;/'),
    path.replace('/api/admin/', '/health/../api/admin/'),
    `http://keycard.test${path}`,
    `${path}?access_token=${admin.accessToken}`,
    `${path}#/health/live`,
    `${path}%00`,
    `${path};.js`,
    `${path}.json`
  ]
}

t.test('no method is taken for another one', async (t) => {
  const overrides = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override']
  const { accessToken: token } = victim
  const passed: string[] = []
  await assertNothingHappens(t, async () => {
    for (const path of new Set(routes.map((route) => pathOf(route)))) {
      for (const method of ['HEAD', 'OPTIONS', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        for (const header of overrides) {
          const answer = await keycard.send(method, path, {
            token,
            headers: { [header]: 'DELETE' }
          })
          const { status } = answer
          if (!refusals.includes(status)) passed.push(`${method} ${path} ${header}: ${status}`)
        }
      }
    }
  })
  t.same(passed, [])
  const connection = await openConnection(t, Number(new URL(keycard.url).port))
  const traced = await connection.ask(`TRACE /api/admin/users`, `Authorization: Bearer ${token}`)
  t.equal(traced.status, 405)
  t.notOk(traced.body.includes(token))
})

t.test('what an administrator asks for is what the method says', async (t) => {
  const { accessToken: token } = admin
  const path = `/api/admin/users/${victim.id}`
  await assertNothingHappens(t, async () => {
    const headers = { 'x-http-method-override': 'DELETE' }
    t.equal(verdict(await keycard.get(path, { token, headers })), 200)
    t.equal((await keycard.send('HEAD', path, { token })).text, '')
    const post = await keycard.post(path, { token, headers, body: { _method: 'DELETE' } })
    t.equal(verdict(post), 'METHOD_NOT_ALLOWED')
    t.equal(verdict(await keycard.get(`${path}?_method=DELETE`, { token })), 'VALIDATION_FAILED')
    const body = { disabled: true }
    t.equal(verdict(await keycard.delete(path, { token, body })), 'VALIDATION_FAILED')
  })
})

t.test('nobody is found by anything but a whole id', async (t) => {
  const users = administration(keycard, admin)
  await assertNothingHappens(t, async () => {
    for (const id of ['%', '*', '..', '.', 'me', 'null', '0', victim.email, `${randomUUID()}%`]) {
      const encoded = encodeURIComponent(id)
      t.equal(verdict(await users.remove(encoded)), 'NOT_FOUND', id)
    }
  })
})
