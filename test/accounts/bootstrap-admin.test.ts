import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { bootstrapAdmin } from '../../src/accounts/bootstrap-admin.js'
import { findUserByEmail } from '../../src/accounts/store.js'
import { systemClock } from '../../src/clock.js'
import { connectDatabase } from '../../src/database/connection.js'
import { users } from '../../src/database/schema.js'
import { createPasswords } from '../../src/passwords/passwords.js'
import { newSecrets, startKeycard } from '../support/keycard.js'
import { createTestDatabase } from '../support/postgres.js'
import { logIn, me, tokensOf, verdict } from '../support/session-calls.js'

const admin = { email: 'Root@Example.com', password: 'admin horse battery' }

/** What bootstrapAdmin needs, as one node has it. */
function node(t: Test, databaseUrl: string) {
  const database = connectDatabase(databaseUrl)
  t.teardown(() => database.close())
  const argon2 = { memoryKib: 8, time: 1, parallelism: 1 }
  const options = { minLength: 8, argon2, queueLimit: 64, threadPoolSize: 4 }
  return { database, passwords: createPasswords(options), clock: systemClock }
}

t.test('the first admin is made at the start and can log in', async (t) => {
  const env = { BOOTSTRAP_ADMIN_EMAIL: admin.email, BOOTSTRAP_ADMIN_PASSWORD: admin.password }
  const keycard = await startKeycard(t, { env })
  const login = await logIn(keycard, { ...admin, email: 'root@example.com' })
  t.equal(verdict(login), 200)
  t.match(login.body.user, { roles: ['admin'], name: 'Administrator', email: 'root@example.com' })
  const { accessToken } = tokensOf(login)
  t.match(keycard.accessTokens.verify(accessToken), { claims: { roles: ['admin'] } })
  t.equal(verdict(await me(keycard, accessToken)), 200)
  t.notOk(keycard.log.some((line) => line.includes(admin.password)))
})

t.test('four nodes that start at once make one admin', async (t) => {
  const databaseUrl = await createTestDatabase(t)
  const secrets = newSecrets()
  const env = { BOOTSTRAP_ADMIN_EMAIL: admin.email, BOOTSTRAP_ADMIN_PASSWORD: admin.password }
  const nodes = await Promise.all(
    Array.from({ length: 4 }, () => startKeycard(t, { databaseUrl, secrets, env }))
  )
  for (const keycard of nodes) t.equal(verdict(await logIn(keycard, admin)), 200)
  const rows = await nodes[0]?.app.database.read((db) => db.select().from(users))
  t.match(rows, [{ email: 'root@example.com', roles: ['admin'] }])
})

t.test('where there is an admin nothing happens, whatever is configured', async (t) => {
  const parts = node(t, await createTestDatabase(t))
  const { database } = parts
  await bootstrapAdmin(parts, admin)
  const before = await database.read((db) => findUserByEmail(db, 'root@example.com'))
  t.ok(before)
  await bootstrapAdmin(parts, { ...admin, password: 'another horse battery' })
  await bootstrapAdmin(parts, { email: 'other@example.com', password: 'another horse battery' })
  await bootstrapAdmin(parts, { email: 'other@example.com', password: 'weak' })
  t.same(await database.read((db) => db.select().from(users)), [before])
})

t.test('an admin who is gone is made again, beside everybody else', async (t) => {
  const parts = node(t, await createTestDatabase(t))
  const { database } = parts
  await bootstrapAdmin(parts, admin)
  await database.write((db) =>
    db
      .update(users)
      .set({ roles: ['moderator', 'administrator'] })
      .where(eq(users.email, 'root@example.com'))
  )
  await bootstrapAdmin(parts, { email: 'next@example.com', password: admin.password })
  t.match(await database.read((db) => findUserByEmail(db, 'next@example.com')), {
    roles: ['admin']
  })
})

t.test('a weak password is refused, in words for the operator', async (t) => {
  const parts = node(t, await createTestDatabase(t))
  for (const password of ['short', 'password', 'root@example.com', 'Administrator']) {
    await t.rejects(bootstrapAdmin(parts, { ...admin, password }), {
      name: 'BootstrapError',
      message: /^BOOTSTRAP_ADMIN_PASSWORD is too weak\. .+\.$/
    })
  }
  t.same(await parts.database.read((db) => db.select().from(users)), [])
})

t.test('an e-mail address that is taken by somebody else is refused', async (t) => {
  const keycard = await startKeycard(t)
  const email = `${randomUUID()}@example.com`
  const { id, accessToken } = await keycard.register({ email })
  const parts = node(t, keycard.databaseUrl)
  const taken = { email: email.toUpperCase(), password: admin.password }
  await t.rejects(bootstrapAdmin(parts, taken), {
    name: 'BootstrapError',
    message: 'BOOTSTRAP_ADMIN_EMAIL belongs to an account that is no admin'
  })
  t.match((await me(keycard, accessToken)).body.user, { id, roles: [] })
})
