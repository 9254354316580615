import { sql } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { type Person, startKeycard } from '../support/keycard.js'
import { registerAdmin, setUser } from '../support/operators.js'
import { openConnection } from '../support/raw-connection.js'
import { listSessions, verdict } from '../support/session-calls.js'
import { administration, newPerson } from '../support/user-administration.js'

const keycard = await startKeycard(t)
const users = administration(keycard, await registerAdmin(keycard))
const victim = await keycard.register()

interface Call {
  readonly line: string
  readonly body: unknown
}

/** All that a call could change or add. */
async function everything(): Promise<unknown> {
  return await keycard.app.database.read((db) =>
    db.execute(sql`
      select (select json_agg(u order by id) from users u) as users,
             (select json_agg(s order by id) from sessions s) as sessions,
             (select json_agg(c order by id) from clients c) as clients,
             (select json_agg(i order by id) from incidents i) as incidents,
             (select json_agg(id order by id) from revocations) as revocations,
             (select generation from deployment) as generation`)
  )
}

/** Asserts that a call has no effect whose caller is ended when its head has come and its body has not. */
async function assertRefused(
  t: Test,
  { line, body }: Call,
  { accessToken: token }: Pick<Person, 'accessToken'>,
  end: () => Promise<unknown>
): Promise<void> {
  const connection = await openConnection(t, Number(new URL(keycard.url).port))
  const text = JSON.stringify(body)
  const head = await connection.ask(
    line,
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
    'Expect: 100-continue'
  )
  t.equal(head.status, 100, line)
  // Asked later and answered, so the guard has let the head pass.
  t.equal(verdict(await listSessions(keycard, token)), 200)
  await end()
  const before = await everything()
  connection.write(text)
  const { status } = await connection.answer()
  t.ok(status === 401 || status === 403, `${line}: ${status}`)
  t.same(await everything(), before, `${line}: nothing happened`)
}

const target = { kind: 'everyone', confirm: 'everyone' }
const adminCalls = (): Call[] => [
  { line: 'POST /api/admin/clients', body: { name: 'orders' } },
  { line: 'POST /api/admin/incidents', body: { target, reason: 'a key leaked' } },
  { line: 'POST /api/admin/revocations', body: { target, reason: 'a key leaked' } },
  { line: 'POST /api/admin/users', body: { ...newPerson(), roles: ['admin'] } },
  { line: `PATCH /api/admin/users/${victim.id}`, body: { roles: ['admin'] } },
  { line: `DELETE /api/admin/users/${victim.id}`, body: {} }
]

const ends: Readonly<Record<string, (admin: Person) => Promise<unknown>>> = {
  disabled: ({ id }) => users.change(id, { disabled: true }),
  'logged out': ({ accessToken: token }) => keycard.post('/api/auth/logout', { token }),
  'an administrator no more, which no node was told': ({ id }) =>
    setUser(keycard, id, { roles: [] })
}

for (const [how, end] of Object.entries(ends)) {
  t.test(`an administrator who is ${how} before the body has come changes nothing`, async (t) => {
    for (const call of adminCalls()) {
      const admin = await registerAdmin(keycard)
      await assertRefused(t, call, admin, () => end(admin))
    }
  })
}

t.test('whoever is logged out before the body has come changes nothing', async (t) => {
  const { password } = victim
  const calls: Call[] = [
    { line: 'PATCH /api/auth/me', body: { name: 'Eve' } },
    {
      line: 'POST /api/auth/password',
      body: { currentPassword: password, newPassword: 'staple battery correct' }
    },
    { line: 'DELETE /api/auth/me', body: { password } }
  ]
  for (const call of calls) {
    const person = await keycard.register()
    const { accessToken: token } = person
    await assertRefused(t, call, person, () => keycard.post('/api/auth/logout', { token }))
  }
})

t.test('whose token holds is served, however late the body', async (t) => {
  const { accessToken } = await registerAdmin(keycard)
  const connection = await openConnection(t, Number(new URL(keycard.url).port))
  const proceed = await connection.ask(
    'POST /api/admin/clients',
    `Authorization: Bearer ${accessToken}`,
    'Content-Type: application/json',
    'Transfer-Encoding: chunked',
    'Expect: 100-continue'
  )
  t.equal(proceed.status, 100)
  for (const text of ['{"name":', '"orders"}', '']) {
    connection.write(`${text.length.toString(16)}\r\n${text}\r\n`)
    t.equal(verdict(await listSessions(keycard, accessToken)), 200)
  }
  t.equal((await connection.answer()).status, 201)
})
