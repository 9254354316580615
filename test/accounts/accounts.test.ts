import { randomUUID } from 'node:crypto'
import bcrypt from 'bcrypt'
import { eq } from 'drizzle-orm'
import t from 'tap'
import { findUser, raisedTokenVersion } from '../../src/accounts/store.js'
import { users } from '../../src/database/schema.js'
import { createHashing } from '../../src/passwords/hashing.js'
import { domainOf } from '../support/domain.js'
import { startKeycard } from '../support/keycard.js'
import { logIn, tokensOf, verdict } from '../support/session-calls.js'
import { nobody } from '../support/origin.js'

const keycard = await startKeycard(t)
const { database } = keycard.app
const { accounts } = domainOf(keycard)
const client = { ip: '203.0.113.7', userAgent: null }
const newPassword = 'another horse battery'

const setUser = (id: string, values: Partial<typeof users.$inferInsert>) =>
  database.write((db) => db.update(users).set(values).where(eq(users.id, id)))

t.test('a password changed while an old hash is being lifted stays changed', async (t) => {
  const person = await keycard.register()
  const other = await keycard.register({ password: newPassword })
  const changed = await database.read((db) => findUser(db, other.id))
  await setUser(person.id, { passwordHash: await bcrypt.hash(person.password, 4) })

  const real = createHashing(keycard.config.passwords.argon2)
  const { accounts } = domainOf(keycard, {
    hashing: {
      ...real,
      async hash(password) {
        await setUser(person.id, { passwordHash: changed?.passwordHash ?? '', tokenVersion: 2 })
        return await real.hash(password)
      }
    }
  })
  t.match(await accounts.login(person, client), { kind: 'refused', reason: 'wrong password' })
  t.equal(verdict(await logIn(keycard, person)), 'INVALID_CREDENTIALS')
  t.equal(verdict(await logIn(keycard, { ...person, password: newPassword })), 200)
})

t.test('a hash that can not be lifted keeps nobody out', async (t) => {
  const person = await keycard.register()
  const passwordHash = await bcrypt.hash(person.password, 4)
  await setUser(person.id, { passwordHash })
  const real = createHashing(keycard.config.passwords.argon2)
  const hash = () => Promise.reject(new Error('no memory'))
  const { accounts } = domainOf(keycard, { hashing: { ...real, hash } })
  t.match(await accounts.login(person, client), { kind: 'opened' })
  t.equal((await database.read((db) => findUser(db, person.id)))?.passwordHash, passwordHash)
})

t.test('a login that is overtaken every time is refused', async (t) => {
  const person = await keycard.register()
  const { accounts } = domainOf(keycard, {
    database: {
      ...database,
      async write(query) {
        await setUser(person.id, { disabledAt: new Date() })
        const result = await database.write(query)
        await setUser(person.id, { disabledAt: null })
        return result
      }
    }
  })
  t.match(await accounts.login(person, client), {
    kind: 'refused',
    reason: 'account changed meanwhile'
  })
  t.equal(verdict(await logIn(keycard, person)), 200)
})

t.test('a password is not changed for a token of an earlier version', async (t) => {
  const person = await keycard.register()
  await accounts.logOutEverywhere(person.id, nobody)
  const current = tokensOf(await logIn(keycard, person))
  const input = { currentPassword: person.password, newPassword }
  const caller = { userId: person.id, sessionId: person.sessionId, version: 1 }
  t.same(await accounts.changePassword(caller, input, nobody), { kind: 'gone' })
  t.equal(verdict(await logIn(keycard, person)), 200)
  const now = { ...caller, sessionId: current.sessionId, version: 2 }
  t.same(await accounts.changePassword(now, input, nobody), { kind: 'changed' })
})

t.test('what is done for an account that is gone finds none', async (t) => {
  const userId = randomUUID()
  const caller = { userId, sessionId: randomUUID(), version: 1 }
  const input = { currentPassword: 'correct horse battery', newPassword }
  t.same(await accounts.changePassword(caller, input, nobody), { kind: 'gone' })
  t.same(await accounts.delete(userId, input.currentPassword, nobody), { kind: 'gone' })
  t.equal(await accounts.logOutEverywhere(userId, nobody), undefined)
  t.equal(await accounts.rename(userId, 'Ada', nobody), undefined)
  t.equal(await accounts.find(userId), undefined)
})

t.test('only a logout everywhere that nobody has confirmed yet is waited for again', async (t) => {
  const { id } = await keycard.register()
  t.equal(await accounts.confirmLogOutEverywhere(id, 1), undefined, 'there was none')

  const { id: revocationId } = await recordOnly(id, 'logout everywhere')
  t.match(await accounts.confirmLogOutEverywhere(id, 1), {
    tokenVersion: 2,
    receipt: { revocationId, guarantee: 'applied' }
  })
  t.equal(await accounts.confirmLogOutEverywhere(id, 2), undefined, 'it did not cover that')

  await recordOnly(id, 'password changed')
  t.equal(await accounts.confirmLogOutEverywhere(id, 1), undefined, 'a password change is none')
})

/** Records what a node did not live to announce. */
async function recordOnly(userId: string, reason: string) {
  return await database.transaction(async (tx) => {
    const [row] = await tx.execute<{ level: number }>(raisedTokenVersion(userId, new Date()))
    const level = row?.level ?? null
    const what = { kind: 'user', target: userId, level } as const
    return await keycard.app.revocation.record(tx, what, { reason, origin: nobody })
  })
}
