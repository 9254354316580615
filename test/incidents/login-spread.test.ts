import { eq } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { deployment } from '../../src/database/schema.js'
import { createLoginSpread } from '../../src/incidents/login-spread.js'
import type { Answer } from '../support/client.js'
import { type KeycardOptions, startKeycard, type TestKeycard } from '../support/keycard.js'
import { createManualClock } from '../support/manual-clock.js'
import { addCrowd, incidentsOf, startIncident } from '../support/population.js'
import { logIn, refresh, verdict } from '../support/session-calls.js'

const everyone = { kind: 'everyone' } as const

t.test('seconds are uniform over what is left, and at least one', async (t) => {
  const { clock, advanceSeconds } = createManualClock()
  let draw = 0
  const spread = createLoginSpread({ clock, random: () => draw })
  t.equal(spread.retryAfterSeconds(), 0, 'nothing is spread')
  spread.note(undefined)
  spread.note(new Date(clock() + 10_000))
  spread.note(new Date(clock() + 5_000))
  const drawn = (at: number) => {
    draw = at
    return spread.retryAfterSeconds()
  }
  t.same([0, 0.05, 0.1, 0.5, 0.9999].map(drawn), [1, 1, 2, 6, 10])
  advanceSeconds(9.5)
  t.same([0, 0.9999].map(drawn), [1, 1])
  advanceSeconds(0.5)
  t.equal(drawn(0.5), 0, 'it is over')
})

async function spreadUntil({ app }: TestKeycard): Promise<number> {
  const [row] = await app.database.read((db) => db.select().from(deployment))
  return row?.loginsSpreadUntil?.getTime() ?? 0
}

/** A node where one hash takes a second, so that the estimate is a round number. */
async function startSlow(t: Test, options: KeycardOptions = {}) {
  const keycard = await startKeycard(t, options)
  const passwords = { measure: async () => ({ hashMs: 1_000, concurrency: 2 }) }
  return { keycard, passwords }
}

t.test('the end is estimated, bounded, and never comes earlier', async (t) => {
  const { clock, advanceSeconds } = createManualClock()
  const { keycard, passwords } = await startSlow(t, { clock })
  const incidents = incidentsOf(keycard, { passwords, clock })
  const [now, key] = [clock(), (keyId: string) => ({ kind: 'cohort', keyId }) as const]
  const fields = {
    createdAt: new Date(now),
    lastUsedAt: new Date(now),
    expiresAt: new Date(now + 1e9)
  }
  await addCrowd(keycard, 41, { keyIds: ['some'], ...fields })
  await addCrowd(keycard, 4, { keyIds: ['few'], ...fields })
  await addCrowd(keycard, 2_000, { keyIds: ['many'], ...fields })
  t.match(await incidents.estimate(key('some')), {
    accounts: 41,
    hashMs: 1_000,
    hashesPerSecond: 2,
    nodes: 1,
    estimatedLoginSeconds: 21
  })
  t.equal(await spreadUntil(keycard), 0, 'a dry run spreads nothing')
  await startIncident(incidents, key('some'))
  t.equal(await spreadUntil(keycard), now + 21_000)
  advanceSeconds(5)
  await startIncident(incidents, key('few'))
  t.equal(await spreadUntil(keycard), now + 21_000, 'a smaller one shortens nothing')
  await startIncident(incidents, key('many'))
  t.equal(await spreadUntil(keycard), clock() + 900_000, 'a quarter of an hour at most')
})

const retryAfter = ({ headers }: Answer) => Number(headers.get('retry-after'))

t.test('whoever was hit is told when to come back; nobody else is', async (t) => {
  const { clock, advanceSeconds } = createManualClock()
  const keycard = await startKeycard(t, { clock })
  const people = await Promise.all(Array.from({ length: 12 }, () => keycard.register()))
  const [other, late] = [await keycard.register(), await keycard.register()]
  const incidents = incidentsOf(keycard, { clock })
  await keycard.post('/api/auth/logout', { token: other.accessToken })
  const before = await refresh(keycard, other.refreshToken)
  t.equal(verdict(before), 'INVALID_REFRESH_TOKEN')
  t.equal(before.headers.get('retry-after'), null)

  await startIncident(incidents, everyone)
  const until = new Date(clock() + 600_000)
  await keycard.app.database.write((db) =>
    db.update(deployment).set({ loginsSpreadUntil: until }).where(eq(deployment.id, 1))
  )
  const answers = await Promise.all(people.map((one) => refresh(keycard, one.refreshToken)))
  t.same([...new Set(answers.map(verdict))], ['INVALID_REFRESH_TOKEN'])
  const seconds = answers.map(retryAfter)
  t.ok(
    seconds.every((each) => Number.isInteger(each) && each >= 1 && each <= 600),
    String(seconds)
  )
  t.ok(new Set(seconds).size > 6, 'they are not all told the same')
  const unknown = await refresh(keycard, 'x'.repeat(70))
  t.equal(unknown.headers.get('retry-after'), null)

  advanceSeconds(600)
  const after = await refresh(keycard, late.refreshToken)
  t.equal(verdict(after), 'INVALID_REFRESH_TOKEN')
  t.equal(after.headers.get('retry-after'), null, 'the storm is over')
})

t.test('who is turned away from the queue or the limit of hashes comes back in turn', async (t) => {
  const keycard = await startKeycard(t, {
    env: {
      RATE_LIMIT: 'on',
      RATE_LIMIT_PASSWORDS_GLOBAL: '20/1m',
      RATE_LIMIT_LOGIN_PER_IP: '1000/1m',
      RATE_LIMIT_LOGIN_PER_ACCOUNT: '1000/1m',
      HASH_QUEUE_LIMIT: '1',
      ARGON2_MEMORY_KIB: '65536'
    }
  })
  const ada = await keycard.register()
  await startIncident(incidentsOf(keycard), everyone)
  const until = new Date(Date.now() + 10_000_000)
  await keycard.app.database.write((db) => db.update(deployment).set({ loginsSpreadUntil: until }))
  await refresh(keycard, ada.refreshToken)
  const crowd = await Promise.all(Array.from({ length: 40 }, () => logIn(keycard, ada)))
  for (const [code, usual] of [
    ['OVERLOADED', 2],
    ['RATE_LIMITED', 60]
  ] as const) {
    const refused = crowd.filter((answer) => verdict(answer) === code)
    t.ok(refused.length > 0, code)
    t.ok(
      refused.some((answer) => retryAfter(answer) > usual),
      code
    )
    t.ok(
      refused.every((answer) => retryAfter(answer) <= 10_000),
      code
    )
  }
})
