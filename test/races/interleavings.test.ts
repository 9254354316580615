import t, { type Test } from 'tap'
import { type Person, startKeycard } from '../support/keycard.js'
import { type Holder, holdRows } from '../support/row-locks.js'
import {
  assertDead,
  assertLives,
  logIn,
  me,
  refresh,
  sessionRow,
  tokensOf,
  verdict
} from '../support/session-calls.js'

// Rows are changed behind its back, so it has to look at them.
const keycard = await startKeycard(t, { mode: 'database' })
const newPassword = 'another horse battery'

/**
 * Changes rows as another node's transaction would, starts `request`, and commits once `request` waits for
 * those rows: so the two meet at the very statement that must tell them apart, every time.
 */
async function meet<T>(
  t: Test,
  change: (sql: Holder['sql']) => Promise<unknown>,
  request: () => Promise<T>
): Promise<T> {
  const holder = await holdRows(t, keycard.databaseUrl)
  await change(holder.sql)
  const answer = request()
  await holder.waitedForBy(answer)
  await holder.commit()
  return await answer
}

const raiseVersion = (sql: Holder['sql'], { id }: Person) =>
  sql`update users set token_version = token_version + 1 where id = ${id}`

async function changePassword(sql: Holder['sql'], person: Person, hashFrom: Person) {
  await raiseVersion(sql, person)
  await sql`
    update users set password_hash = (select password_hash from users where id = ${hashFrom.id})
    where id = ${person.id}`
}

async function countSessions({ id }: Person, t: Test): Promise<number> {
  const { sql, rollback } = await holdRows(t, keycard.databaseUrl)
  const rows = await sql`select from sessions where user_id = ${id}`
  await rollback()
  return rows.length
}

t.test('login with the old password, as its change is committed', async (t) => {
  const [person, other] = [
    await keycard.register(),
    await keycard.register({ password: newPassword })
  ]
  const login = await meet(
    t,
    (sql) => changePassword(sql, person, other),
    () => logIn(keycard, person)
  )
  t.equal(verdict(login), 'INVALID_CREDENTIALS')
  t.equal(await countSessions(person, t), 1, 'no session was opened')
  t.equal(verdict(await logIn(keycard, { ...person, password: newPassword })), 200)
})

t.test('login, as a logout everywhere is committed, opens a session that lives', async (t) => {
  const person = await keycard.register()
  const login = await meet(
    t,
    (sql) => raiseVersion(sql, person),
    () => logIn(keycard, person)
  )
  t.equal(verdict(login), 200)
  await assertLives(t, keycard, tokensOf(login))
  await assertDead(t, keycard, person)
})

t.test('login, as the account is deleted or disabled', async (t) => {
  const [gone, disabled] = [await keycard.register(), await keycard.register()]
  const toGone = await meet(
    t,
    (sql) => sql`delete from users where id = ${gone.id}`,
    () => logIn(keycard, gone)
  )
  t.equal(verdict(toGone), 'INVALID_CREDENTIALS')
  const toDisabled = await meet(
    t,
    (sql) => sql`update users set disabled_at = now() where id = ${disabled.id}`,
    () => logIn(keycard, disabled)
  )
  t.equal(verdict(toDisabled), 'ACCOUNT_DISABLED')
})

t.test('refresh, as its session is logged out or deleted', async (t) => {
  const [out, gone] = [await keycard.register(), await keycard.register()]
  const afterLogout = await meet(
    t,
    (sql) => sql`update sessions set revoked_at = now() where id = ${out.sessionId}`,
    () => refresh(keycard, out.refreshToken)
  )
  t.equal(verdict(afterLogout), 'INVALID_REFRESH_TOKEN')
  t.equal((await sessionRow(keycard, out.sessionId)).counter, 0)
  const afterDeletion = await meet(
    t,
    (sql) => sql`delete from users where id = ${gone.id}`,
    () => refresh(keycard, gone.refreshToken)
  )
  t.equal(verdict(afterDeletion), 'INVALID_REFRESH_TOKEN')
})

t.test('refresh, as its own session is carried over a password change', async (t) => {
  const person = await keycard.register()
  const refreshed = await meet(
    t,
    async (sql) => {
      await raiseVersion(sql, person)
      await sql`update sessions set version = version + 1 where id = ${person.sessionId}`
    },
    () => refresh(keycard, person.refreshToken)
  )
  t.equal(verdict(refreshed), 200)
  t.equal(verdict(await me(keycard, person.accessToken)), 'TOKEN_REVOKED')
  await assertLives(t, keycard, tokensOf(refreshed))
})

t.test('refresh that was held up while everything of its user was revoked', async (t) => {
  const person = await keycard.register()
  const holder = await holdRows(t, keycard.databaseUrl)
  await holder.sql`select from sessions where id = ${person.sessionId} for update`
  const refreshing = refresh(keycard, person.refreshToken)
  await holder.waitedForBy(refreshing)
  const everywhere = await keycard.post('/api/auth/logout-all', { token: person.accessToken })
  t.equal(everywhere.status, 200)
  await holder.commit()
  const refreshed = await refreshing
  t.ok([200, 401].includes(refreshed.status))
  await assertDead(t, keycard, person)
  if (refreshed.status === 200) await assertDead(t, keycard, tokensOf(refreshed))
})

t.test('refreshes that all meet at the one statement get one successor', async (t) => {
  const person = await keycard.register()
  const answers = await meet(
    t,
    (sql) => sql`select from sessions where id = ${person.sessionId} for update`,
    () => Promise.all(Array.from({ length: 8 }, () => refresh(keycard, person.refreshToken)))
  )
  t.same(new Set(answers.map(verdict)), new Set([200]))
  t.equal(new Set(answers.map((answer) => tokensOf(answer).refreshToken)).size, 1)
  t.equal((await sessionRow(keycard, person.sessionId)).counter, 1)
})

t.test('a reused token, as its session is logged out', async (t) => {
  const person = await keycard.register()
  const second = tokensOf(await refresh(keycard, person.refreshToken))
  const third = tokensOf(await refresh(keycard, second.refreshToken))
  const reused = await meet(
    t,
    (sql) => sql`update sessions set revoked_at = now() where id = ${person.sessionId}`,
    () => refresh(keycard, person.refreshToken)
  )
  t.equal(verdict(reused), 'REFRESH_REUSED')
  await assertDead(t, keycard, third)
})

t.test('register, as somebody else takes the e-mail address or lets it go', async (t) => {
  const existing = await keycard.register()
  const insert = (email: string) => (sql: Holder['sql']) => sql`
    insert into users (id, email, name, password_hash, created_at, updated_at)
    select gen_random_uuid(), ${email}, name, password_hash, now(), now()
    from users where id = ${existing.id}`
  const body = { name: 'Ada', password: newPassword }
  const taken = 'taken@example.com'
  const loser = await meet(t, insert(taken), () =>
    keycard.post('/api/auth/register', { body: { ...body, email: taken } })
  )
  t.equal(verdict(loser), 'EMAIL_TAKEN')

  const free = 'free@example.com'
  const holder = await holdRows(t, keycard.databaseUrl)
  await insert(free)(holder.sql)
  const registering = keycard.post('/api/auth/register', { body: { ...body, email: free } })
  await holder.waitedForBy(registering)
  await holder.rollback()
  t.equal(verdict(await registering), 201)
})

t.test('a password change, as a logout everywhere is committed, changes nothing', async (t) => {
  const person = await keycard.register()
  const body = { currentPassword: person.password, newPassword }
  const change = await meet(
    t,
    (sql) => raiseVersion(sql, person),
    () => keycard.post('/api/auth/password', { token: person.accessToken, body })
  )
  t.equal(verdict(change), 'TOKEN_REVOKED')
  await assertDead(t, keycard, person)
  t.equal(verdict(await logIn(keycard, person)), 200, 'the password is the old one')
})

t.test('a deletion, as the password is changed, deletes nothing', async (t) => {
  const [person, other] = [
    await keycard.register(),
    await keycard.register({ password: newPassword })
  ]
  const deletion = await meet(
    t,
    (sql) => changePassword(sql, person, other),
    () =>
      keycard.delete('/api/auth/me', {
        token: person.accessToken,
        body: { password: person.password }
      })
  )
  t.equal(verdict(deletion), 'TOKEN_REVOKED')
  t.equal(verdict(await logIn(keycard, { ...person, password: newPassword })), 200)
})
