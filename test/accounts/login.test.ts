import { randomUUID } from 'node:crypto'
import bcrypt from 'bcrypt'
import { eq } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { findUserByEmail } from '../../src/accounts/store.js'
import type { Database } from '../../src/database/connection.js'
import { users } from '../../src/database/schema.js'
import type { Answer } from '../support/client.js'
import { countedHashing, domainOf } from '../support/domain.js'
import { startKeycard } from '../support/keycard.js'
import { assertLives, logIn, me, tokensOf, verdict } from '../support/session-calls.js'

const keycard = await startKeycard(t)
const { database } = keycard.app
const client = { ip: '203.0.113.7', userAgent: null }
const newEmail = () => `${randomUUID()}@example.com`

const setUser = (email: string, values: Partial<typeof users.$inferInsert>) =>
  database.write((db) => db.update(users).set(values).where(eq(users.email, email)))

async function storedHash(email: string): Promise<string> {
  const user = await database.read((db) => findUserByEmail(db, email))
  return user?.passwordHash ?? ''
}

t.test('each login opens a session of its own', async (t) => {
  const person = await keycard.register()
  const answers = [await logIn(keycard, person), await logIn(keycard, person)]
  t.same(answers.map(verdict), [200, 200])
  for (const answer of answers) {
    t.match(answer.body, { user: { id: person.id }, tokenType: 'Bearer', expiresIn: 900 })
    t.equal(answer.headers.get('cache-control'), 'no-store')
    await assertLives(t, keycard, tokensOf(answer))
  }
  t.equal(new Set(answers.map(({ body }) => body.sessionId)).size, 2)
})

t.test('the e-mail address counts in any case, the password does not', async (t) => {
  const { email, password } = await keycard.register()
  t.equal(verdict(await logIn(keycard, { email: email.toUpperCase(), password })), 200)
  for (const wrong of [password.toUpperCase(), `${password} `, ` ${password}`, password.slice(1)]) {
    t.equal(verdict(await logIn(keycard, { email, password: wrong })), 'INVALID_CREDENTIALS')
  }
})

t.test('a password typed composed or decomposed is one password', async (t) => {
  const composed = 'caf\u00e9 \u00c5ngstr\u00f6m \u1e9b\u0323'.normalize('NFC')
  const decomposed = composed.normalize('NFD')
  t.not(composed, decomposed)
  for (const [first, second] of [
    [composed, decomposed],
    [decomposed, composed]
  ] as const) {
    const { email } = await keycard.register({ password: first })
    t.equal(verdict(await logIn(keycard, { email, password: second })), 200)
    const folded = { email, password: composed.normalize('NFKC') }
    t.equal(verdict(await logIn(keycard, folded)), 'INVALID_CREDENTIALS', 'but no more than that')
  }
})

t.test('an unknown e-mail address and a wrong password get the same answer', async (t) => {
  const { email } = await keycard.register()
  for (const [known, unknown] of [
    [{ password: 'wrong horse battery' }, { password: 'wrong horse battery' }],
    [{ password: '' }, { password: '' }],
    [{ password: 'x'.repeat(5_000) }, { password: 'x'.repeat(5_000) }],
    [
      { password: 'x', tokenDelivery: 'body' },
      { password: 'x', tokenDelivery: 'body' }
    ]
  ]) {
    const wrong = await keycard.post('/api/auth/login', { body: { email, ...known } })
    const body = { email: newEmail(), ...unknown }
    const nobody = await keycard.post('/api/auth/login', { body })
    t.equal(verdict(wrong), 'INVALID_CREDENTIALS')
    t.same(comparable(wrong), comparable(nobody))
    t.equal(wrong.headers.get('www-authenticate'), 'Bearer')
  }
})

t.test('an unknown e-mail address costs what a wrong password costs', async (t) => {
  const hashing = countedHashing(keycard)
  const counted: Database = {
    ...database,
    read: (query) => {
      hashing.jobs.push('read')
      return database.read(query)
    },
    write: (query) => {
      hashing.jobs.push('write')
      return database.write(query)
    },
    transaction: (work) => {
      hashing.jobs.push('transaction')
      return database.transaction(work)
    }
  }
  const { accounts } = domainOf(keycard, { hashing, database: counted })
  const { email } = await keycard.register()
  const costs = ['read', 'argon2', 'write']
  const jobsOf = async (input: { email: string; password: string }) => {
    hashing.jobs.length = 0
    t.match(await accounts.login(input, client), { kind: 'refused' })
    return [...hashing.jobs]
  }
  for (const password of ['wrong horse battery', '', 'x'.repeat(300), 'x\0y', '\ud800']) {
    t.same(await jobsOf({ email, password }), costs)
    t.same(await jobsOf({ email: newEmail(), password }), costs)
  }
  await setUser(email, { passwordHash: 'not a hash' })
  t.same(await jobsOf({ email, password: 'correct horse battery' }), costs)
})

t.test('that an account is disabled is said to its owner alone', async (t) => {
  const { email, password } = await keycard.register()
  await setUser(email, { disabledAt: new Date() })
  const wrong = await logIn(keycard, { email, password: 'wrong horse battery' })
  t.equal(verdict(wrong), 'INVALID_CREDENTIALS')
  const right = await logIn(keycard, { email, password })
  t.equal(verdict(right), 'ACCOUNT_DISABLED')
  t.equal(right.status, 403)
  t.same(right.cookies, [])
  await setUser(email, { disabledAt: null })
  t.equal(verdict(await logIn(keycard, { email, password })), 200)
})

for (const prefix of ['$2a$', '$2b$', '$2y$']) {
  t.test(`an imported ${prefix} hash verifies and is argon2id after the first login`, async (t) => {
    const { email } = await keycard.register()
    const password = 'imported horse battery'
    const imported = (await bcrypt.hash(password, 4)).replace(/^\$2b\$/, prefix)
    await setUser(email, { passwordHash: imported })
    const wrong = await logIn(keycard, { email, password: 'wrong horse battery' })
    t.equal(verdict(wrong), 'INVALID_CREDENTIALS')
    t.equal(await storedHash(email), imported, 'a wrong password changes nothing')

    const first = await logIn(keycard, { email, password })
    t.equal(verdict(first), 200)
    const rehashed = await storedHash(email)
    t.match(rehashed, /^\$argon2id\$v=19\$m=1024,t=2,p=1\$/)
    await assertLives(t, keycard, tokensOf(first))

    t.equal(verdict(await logIn(keycard, { email, password })), 200)
    t.equal(await storedHash(email), rehashed, 'once')
    const truncated = { email, password: `${password}!` }
    t.equal(verdict(await logIn(keycard, truncated)), 'INVALID_CREDENTIALS')
  })
}

t.test('twenty first logins at once with an imported hash all go well', async (t) => {
  const { email } = await keycard.register()
  const password = 'imported horse battery'
  await setUser(email, { passwordHash: await bcrypt.hash(password, 4) })
  const logins = Array.from({ length: 20 }, () => logIn(keycard, { email, password }))
  t.same(new Set((await Promise.all(logins)).map(verdict)), new Set([200]))
  t.match(await storedHash(email), /^\$argon2id\$/)
  t.equal(verdict(await logIn(keycard, { email, password })), 200)
})

t.test('a hash of lower cost is lifted at login, one of higher cost is left', async (t) => {
  const weaker = await startKeycard(t, {
    databaseUrl: keycard.databaseUrl,
    env: { ARGON2_MEMORY_KIB: '512' }
  })
  const { email, password } = await weaker.register()
  t.match(await storedHash(email), /m=512,/)
  t.equal(verdict(await logIn(keycard, { email, password })), 200)
  const lifted = await storedHash(email)
  t.match(lifted, /m=1024,/)
  t.equal(verdict(await logIn(weaker, { email, password })), 200)
  t.equal(await storedHash(email), lifted)
})

t.test('a stored hash that is none refuses every password and breaks nothing', async (t) => {
  const { email, password } = await keycard.register()
  for (const passwordHash of [
    '',
    'plain',
    '$2b$04$short',
    '$argon2id$v=19$m=9999999,t=1,p=1$a$b'
  ]) {
    await setUser(email, { passwordHash })
    t.equal(verdict(await logIn(keycard, { email, password })), 'INVALID_CREDENTIALS')
    t.equal(verdict(await logIn(keycard, { email, password: '' })), 'INVALID_CREDENTIALS')
  }
})

t.test('a login takes an e-mail address, a password and nothing else', async (t) => {
  const { email, password } = await keycard.register()
  for (const body of [
    {},
    { email },
    { password },
    { email: { $gt: '' }, password },
    { email: [email], password },
    { email, password: { $ne: '' } },
    { email, password: null },
    { email, password, roles: ['admin'] },
    { email, password, userId: randomUUID() },
    [{ email, password }]
  ]) {
    const answer = await keycard.post('/api/auth/login', { body })
    t.equal(verdict(answer), 'VALIDATION_FAILED', JSON.stringify(body))
  }
  await rejectsForms(t, email, password)
})

async function rejectsForms(t: Test, email: string, password: string): Promise<void> {
  const form = new URLSearchParams({ email, password }).toString()
  for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data']) {
    const headers = { 'content-type': type }
    const answer = await keycard.post('/api/auth/login', { body: form, headers })
    t.equal(verdict(answer), 'UNSUPPORTED_MEDIA_TYPE', type)
  }
}

t.test('somebody who logs in is who they say, whatever the order of things', async (t) => {
  const [ada, grace] = [await keycard.register(), await keycard.register()]
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => logIn(keycard, index % 2 === 0 ? ada : grace))
  )
  for (const [index, answer] of answers.entries()) {
    const { accessToken } = tokensOf(answer)
    const visit = await me(keycard, accessToken)
    t.equal(visit.body.user?.id, index % 2 === 0 ? ada.id : grace.id)
  }
})

/** All of an answer that may not differ: not the time, nor the number of the request. */
function comparable({ status, headers, body }: Answer) {
  const { instance, ...rest } = body
  const kept = [...headers].filter(([name]) => name !== 'date' && name !== 'x-request-id')
  return { status, headers: kept, body: rest, hasInstance: instance !== undefined }
}
