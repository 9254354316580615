import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import t from 'tap'
import type { Database } from '../../src/database/connection.js'
import { users } from '../../src/database/schema.js'
import type { GenuineRefreshToken, Rotation } from '../../src/sessions/rotation.js'
import { advanceCounter } from '../../src/sessions/refresh-store.js'
import { findSession, moveSessionTo } from '../../src/sessions/store.js'
import { domainOf } from '../support/domain.js'
import { type Person, startKeycard } from '../support/keycard.js'
import { createManualClock } from '../support/manual-clock.js'
import { logIn, refresh, sessionRow, tokensOf, verdict } from '../support/session-calls.js'
import { nobody } from '../support/origin.js'

const daySeconds = 86_400
const cause = { reason: 'test', origin: null }
const { clock, advanceMs, advanceSeconds } = createManualClock()
const keycard = await startKeycard(t, { clock })
const { database } = keycard.app
const { sessions, accounts } = domainOf(keycard, { clock })

type Prove = (refreshToken: string) => Promise<GenuineRefreshToken | undefined>

/** Of a session that was looked up just now, and of one that was known. */
const proofs: [how: string, Prove][] = [
  ['a look', (token) => sessions.authenticate(token)],
  [
    'memory',
    async (token) => {
      await sessions.authenticate(token)
      const known = await sessions.recognise(token)
      if (known?.found !== undefined) throw new Error('The session was looked up')
      return known
    }
  ]
]

/** Proves the refresh token, lets `meanwhile` happen, and only then exchanges it. */
async function rotateAfter(
  person: Pick<Person, 'refreshToken'>,
  prove: Prove,
  meanwhile: (token: GenuineRefreshToken) => Promise<unknown>
): Promise<Rotation> {
  const token = await prove(person.refreshToken)
  if (token === undefined) throw new Error('The refresh token is not genuine')
  await meanwhile(token)
  return await sessions.rotate(token, nobody)
}

const setUser = (id: string, values: Partial<typeof users.$inferInsert>) =>
  database.write((db) => db.update(users).set(values).where(eq(users.id, id)))

const passwordChange = (person: Person, sessionId: string) =>
  accounts.changePassword(
    { userId: person.id, sessionId, version: 1 },
    { currentPassword: person.password, newPassword: 'another horse battery' },
    nobody
  )

const ends: [what: string, reason: string, end: (person: Person) => Promise<unknown>][] = [
  ['a logout', 'revoked', (person) => sessions.revoke(person.sessionId, cause)],
  ['a logout everywhere', 'user revoked', (person) => accounts.logOutEverywhere(person.id, nobody)],
  ['the end of everyone', 'everyone revoked', () => keycard.app.revocation.revokeEveryone(cause)],
  ['a password change elsewhere', 'user revoked', (person) => passwordChange(person, randomUUID())],
  [
    'the end of the account',
    'gone',
    (person) => accounts.delete(person.id, person.password, nobody)
  ],
  [
    'a stop of the account',
    'account disabled',
    (person) => setUser(person.id, { disabledAt: new Date(clock()) })
  ],
  ['seven days', 'idle', async () => advanceSeconds(7 * daySeconds)],
  ['thirty days', 'expired', async () => advanceSeconds(30 * daySeconds)]
]

for (const [how, prove] of proofs) {
  for (const [what, reason, end] of ends) {
    t.test(
      `nothing is rotated when ${what} comes between proof by ${how} and exchange`,
      async (t) => {
        const person = await keycard.register()
        t.match(await rotateAfter(person, prove, () => end(person)), { kind: 'ended', reason })
        const row = await database.read((db) => findSession(db, person.sessionId))
        t.ok(row === undefined || row.counter === 0)
      }
    )
  }

  t.test(`another exchange in between gives the same successor, proved by ${how}`, async (t) => {
    const person = await keycard.register()
    const tabs: Rotation[] = []
    const rotation = await rotateAfter(person, prove, async (token) => {
      tabs.push(await sessions.rotate(token, nobody))
    })
    t.match(tabs, [{ kind: 'rotated' }])
    t.equal(rotation.kind, 'repeated')
    t.equal(successorOf(rotation), successorOf(tabs[0]))
  })

  t.test(`two exchanges in between make it a reused token, proved by ${how}`, async (t) => {
    const person = await keycard.register()
    const rotation = await rotateAfter(person, prove, async () => {
      const second = tokensOf(await refresh(keycard, person.refreshToken))
      await refresh(keycard, second.refreshToken)
    })
    t.match(rotation, { kind: 'reused', receipt: { guarantee: 'applied' } })
    t.not((await sessionRow(keycard, person.sessionId)).revokedAt, null)
  })

  t.test(
    `a password change of this very session in between is followed, proved by ${how}`,
    async (t) => {
      const person = await keycard.register()
      const rotation = await rotateAfter(person, prove, () =>
        passwordChange(person, person.sessionId)
      )
      t.equal(rotation.kind, 'rotated')
      const accessToken = 'credentials' in rotation ? rotation.credentials.accessToken : ''
      t.match(keycard.accessTokens.verify(accessToken), { kind: 'valid', claims: { ver: 2 } })
    }
  )

  t.test(`roles that change in between are the ones in the token, proved by ${how}`, async (t) => {
    const person = await keycard.register()
    const rotation = await rotateAfter(person, prove, () =>
      setUser(person.id, { roles: ['moderator'] })
    )
    const accessToken = 'credentials' in rotation ? rotation.credentials.accessToken : ''
    t.match(keycard.accessTokens.verify(accessToken), { claims: { roles: ['moderator'] } })
  })
}

t.test('a session that is never there when it is to be moved on is given up', async (t) => {
  const person = await keycard.register()
  let attempts = 0
  const restless: Database = {
    ...database,
    async write(query) {
      attempts++
      await setUser(person.id, { tokenVersion: 2 })
      const result = await database.write(query)
      await setUser(person.id, { tokenVersion: 1 })
      return result
    }
  }
  const { sessions } = domainOf(keycard, { clock, database: restless })
  const token = await sessions.authenticate(person.refreshToken)
  t.ok(token)
  const reason = 'changed while it was being refreshed'
  t.same(token && (await sessions.rotate(token, nobody)), { kind: 'ended', reason })
  t.equal(attempts, 6, 'three times: at once where the row is free, then waiting for it')
  t.equal(verdict(await refresh(keycard, person.refreshToken)), 200, 'and it lives on')
})

t.test('a session opens only under the version that its owner has', async (t) => {
  const person = await keycard.register()
  const client = { ip: '203.0.113.7', userAgent: null }
  const open = (expectedVersion: number) =>
    database.transaction((tx) =>
      sessions.open(tx, { id: person.id, expectedVersion }, client, 'login')
    )
  t.equal(await open(0), undefined)
  t.equal(await open(2), undefined)
  t.match(await open(1), { expiresInSeconds: 900, refreshExpiresInSeconds: 7 * daySeconds })
  await setUser(person.id, { disabledAt: new Date(clock()) })
  t.equal(await open(1), undefined)
  const nobody = { id: randomUUID(), expectedVersion: 1 }
  t.equal(await database.transaction((tx) => sessions.open(tx, nobody, client, 'login')), undefined)
})

t.test('only a session of the version before is carried over', async (t) => {
  const person = await keycard.register()
  const dead = tokensOf(await logIn(keycard, person))
  await keycard.post('/api/auth/logout-all', { token: person.accessToken })
  await setUser(person.id, { tokenVersion: 3 })
  await database.write((db) => moveSessionTo(db, dead.sessionId, 3))
  t.equal((await sessionRow(keycard, dead.sessionId)).version, 1)
  t.equal(verdict(await refresh(keycard, dead.refreshToken)), 'INVALID_REFRESH_TOKEN')
})

t.test('the statement that moves a session on sees for itself that its time is up', async (t) => {
  const { sessionId } = await keycard.register()
  const { expiresAt, lastUsedAt } = await sessionRow(keycard, sessionId)
  const advance = (now: Date, idleSince: Date) =>
    database.write((db) =>
      advanceCounter(db, { id: sessionId, counter: 0 }, { now, idleSince, keyId: 'k' })
    )
  const justBefore = (moment: Date) => new Date(moment.getTime() - 1)
  t.equal(await advance(expiresAt, justBefore(lastUsedAt)), undefined)
  t.equal(await advance(justBefore(expiresAt), lastUsedAt), undefined)
  t.match(await advance(justBefore(expiresAt), justBefore(lastUsedAt)), { expiresAt })
})

t.test('rows are kept for a day after their end, then they go', async (t) => {
  const early = await keycard.register()
  advanceSeconds(60)
  const late = await keycard.register()
  const isThere = async ({ sessionId }: Person) =>
    (await database.read((db) => findSession(db, sessionId))) !== undefined

  advanceSeconds(31 * daySeconds - 60)
  await sessions.cleanUp()
  t.same([await isThere(early), await isThere(late)], [true, true])
  advanceMs(1)
  await sessions.cleanUp()
  t.same([await isThere(early), await isThere(late)], [false, true])
  t.equal(verdict(await refresh(keycard, early.refreshToken)), 'INVALID_REFRESH_TOKEN')
})

t.test('a revocation of a session that ended long ago has nothing to wait for', async (t) => {
  const person = await keycard.register()
  const first = await sessions.revoke(person.sessionId, cause)
  t.match(first, { guarantee: 'applied' })
  const again = await sessions.revoke(person.sessionId, cause)
  t.equal(again?.revocationId, first?.revocationId, 'it is announced once more, not made again')
  advanceSeconds(3_600)
  t.equal(await sessions.revoke(person.sessionId, cause), undefined)
})

t.test('a session whose row is gone is revoked for itself', async (t) => {
  t.match(await sessions.revoke(randomUUID(), cause), { guarantee: 'applied' })
})

function successorOf(rotation: Rotation | undefined): string | undefined {
  return rotation && 'credentials' in rotation ? rotation.credentials.refreshToken : undefined
}
