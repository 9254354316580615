import fc from 'fast-check'
import t from 'tap'
import { sessions } from '../../src/database/schema.js'
import { takeCensus } from '../../src/incidents/census.js'
import { isHit } from '../../src/incidents/cohort.js'
import type { CohortTarget, IncidentTarget } from '../../src/incidents/target.js'
import { startKeycard } from '../support/keycard.js'
import {
  addAccounts,
  addCrowd,
  addSessions,
  incidentsOf,
  type SessionRow,
  startIncident,
  unrevoked
} from '../support/population.js'

const hourMs = 3_600_000
const keycard = await startKeycard(t)
const incidents = incidentsOf(keycard, { batchSize: 40 })
const now = Date.now()
const roles = [[], ['admin'], ['service'], ['admin', 'service']]
const owners = await Promise.all(roles.map((of) => addAccounts(keycard, 10, { roles: of })))
const accounts = owners.flatMap((ids, index) =>
  ids.map((id) => ({ id, roles: roles[index] ?? [] }))
)
const rolesOf = new Map(accounts.map(({ id, roles }) => [id, roles]))

const hoursAgo = (hours: number) => new Date(now - hours * hourMs)

/**
 * Ages are what the criteria ask for; the rest is whether there is anything left to hit. None was
 * last used near the quarter of an hour after which no token of it can be left.
 */
const sessionArbitrary = fc.record({
  userId: fc.constantFrom(...accounts.map(({ id }) => id)),
  openedHours: fc.integer({ min: 1, max: 240 }),
  usedShare: fc.constantFrom(0.001, 0.3, 0.6, 1),
  ip: fc.constantFrom(
    '192.0.2.7',
    '::ffff:192.0.2.9',
    '198.51.100.1',
    '2001:db8::1',
    'unknown',
    ''
  ),
  keyIds: fc.subarray(['k1', 'k2']),
  fate: fc.constantFrom('alive', 'alive', 'alive', 'revoked', 'version', 'generation', 'expired')
})
type Drawn = typeof sessionArbitrary extends fc.Arbitrary<infer T> ? T : never

function rowOf(drawn: Drawn) {
  const { userId, ip, keyIds, fate, openedHours, usedShare } = drawn
  const createdAt = hoursAgo(openedHours)
  return {
    userId,
    ip,
    keyIds,
    createdAt,
    lastUsedAt: hoursAgo(openedHours * usedShare),
    expiresAt: fate === 'expired' ? hoursAgo(0.1) : new Date(now + hourMs),
    revokedAt: fate === 'revoked' ? hoursAgo(0.5) : null,
    version: fate === 'version' ? 0 : 1,
    generation: fate === 'generation' ? 0 : 1
  }
}

const time = fc.option(fc.integer({ min: 0, max: 300 }), { nil: undefined, freq: 3 })
const maybe = <T>(...values: T[]) =>
  fc.option(fc.constantFrom(...values), { nil: undefined, freq: 2 })
const targetArbitrary = fc
  .record({
    createdBefore: time,
    createdAfter: time,
    lastUsedBefore: time,
    lastUsedAfter: time,
    role: maybe('admin', 'service', 'nobody'),
    ipRange: maybe('192.0.2.0/24', '2001:db8::/32', '::/0'),
    keyId: maybe('k1', 'k2'),
    spare: fc.subarray(
      accounts.slice(0, 30).map(({ id }) => id),
      { maxLength: 8 }
    ),
    spareRole: maybe('service' as const)
  })
  .filter(({ spare, spareRole, ...criteria }) =>
    Object.values(criteria).some((value) => value !== undefined)
  )
  .map((drawn): CohortTarget => {
    const at = (hours: number | undefined) =>
      hours === undefined ? undefined : hoursAgo(hours).toISOString()
    return {
      kind: 'cohort',
      ...given('createdBefore', at(drawn.createdBefore)),
      ...given('createdAfter', at(drawn.createdAfter)),
      ...given('lastUsedBefore', at(drawn.lastUsedBefore)),
      ...given('lastUsedAfter', at(drawn.lastUsedAfter)),
      ...given('role', drawn.role),
      ...given('ipRange', drawn.ipRange),
      ...given('keyId', drawn.keyId),
      ...given('spare', drawn.spare),
      ...given('spareRole', drawn.spareRole)
    }
  })

function given<Name extends keyof CohortTarget>(
  name: Name,
  value: CohortTarget[Name] | undefined
): Pick<CohortTarget, Name> | object {
  return value === undefined ? {} : { [name]: value }
}

type Row = ReturnType<typeof rowOf>

/** What the SQL is to say, once more. */
function isMeant(target: CohortTarget, row: Row): boolean {
  const at = (text: string | undefined, otherwise: number) =>
    text === undefined ? otherwise : Date.parse(text)
  const [created, used] = [row.createdAt.getTime(), row.lastUsedAt.getTime()]
  const ranges: Record<string, string[]> = {
    '192.0.2.0/24': ['192.0.2.7', '::ffff:192.0.2.9'],
    '2001:db8::/32': ['2001:db8::1'],
    '::/0': ['2001:db8::1', '::ffff:192.0.2.9']
  }
  const isUsable = row.expiresAt.getTime() > now && used > now - 7 * 24 * hourMs
  const hasToken = used > now - 0.25 * hourMs
  return (
    row.revokedAt === null &&
    row.version === 1 &&
    row.generation === 1 &&
    (isUsable || hasToken) &&
    created < at(target.createdBefore, Infinity) &&
    created >= at(target.createdAfter, 0) &&
    used < at(target.lastUsedBefore, Infinity) &&
    used >= at(target.lastUsedAfter, 0) &&
    (target.role === undefined || (rolesOf.get(row.userId) ?? []).includes(target.role)) &&
    (target.ipRange === undefined || (ranges[target.ipRange] ?? []).includes(row.ip)) &&
    (target.keyId === undefined || row.keyIds.length === 0 || row.keyIds.includes(target.keyId))
  )
}

function isSpared({ spare = [], spareRole }: CohortTarget, { userId }: Row): boolean {
  const isOfRole = spareRole !== undefined && (rolesOf.get(userId) ?? []).includes(spareRole)
  return spare.includes(userId) || isOfRole
}

async function run(target: IncidentTarget) {
  return await incidents.run(await startIncident(incidents, target))
}

t.test('the dry run counts whom the real run then hits, and those alone', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(sessionArbitrary, { minLength: 100, maxLength: 250 }),
      targetArbitrary,
      async (population, target) => {
        await keycard.app.database.write((db) => db.delete(sessions))
        const rows = population.map(rowOf)
        const ids = await addSessions(keycard, rows)
        const before = await unrevoked(keycard)
        const estimate = await incidents.estimate(target)
        const incident = await run(target)
        const after = await unrevoked(keycard)
        const hit = ids.flatMap((id, index) => {
          const row = rows[index]
          return row !== undefined && before.has(id) && !after.has(id) ? [row] : []
        })
        const meant = rows.filter((row) => isMeant(target, row))
        const expected = meant.filter((row) => !isSpared(target, row))
        t.same(hit, expected)
        t.match(estimate, {
          sessions: expected.length,
          accounts: new Set(expected.map(({ userId }) => userId)).size,
          spared: meant.length - expected.length
        })
        t.match(incident, {
          status: 'finished',
          sessionsExpected: expected.length,
          sessionsRevoked: expected.length
        })
        t.equal(incident?.receipt === null, expected.length === 0)
      }
    ),
    { numRuns: 25 }
  )
})

t.test('each criterion by itself', async (t) => {
  await keycard.app.database.write((db) => db.delete(sessions))
  const userId = accounts[0]?.id ?? ''
  const cases: [CohortTarget, Partial<SessionRow>, Partial<SessionRow>][] = [
    [
      { kind: 'cohort', createdBefore: hoursAgo(5).toISOString() },
      { createdAt: new Date(hoursAgo(5).getTime() - 1) },
      { createdAt: hoursAgo(5) }
    ],
    [
      { kind: 'cohort', createdAfter: hoursAgo(5).toISOString() },
      { createdAt: hoursAgo(5) },
      { createdAt: new Date(hoursAgo(5).getTime() - 1) }
    ],
    [
      { kind: 'cohort', lastUsedBefore: hoursAgo(5).toISOString() },
      { lastUsedAt: new Date(hoursAgo(5).getTime() - 1) },
      { lastUsedAt: hoursAgo(5) }
    ],
    [
      { kind: 'cohort', lastUsedAfter: hoursAgo(5).toISOString() },
      { lastUsedAt: hoursAgo(5) },
      { lastUsedAt: new Date(hoursAgo(5).getTime() - 1) }
    ],
    [{ kind: 'cohort', ipRange: '192.0.2.0/31' }, { ip: '192.0.2.1' }, { ip: '192.0.2.2' }],
    [{ kind: 'cohort', keyId: 'b' }, { keyIds: ['a', 'b'] }, { keyIds: ['a'] }],
    [{ kind: 'cohort', keyId: 'b' }, { keyIds: [] }, { keyIds: ['a'] }],
    [{ kind: 'cohort', role: 'admin' }, { userId: owners[1]?.[0] ?? '' }, {}]
  ]
  for (const [target, hit, missed] of cases) {
    await keycard.app.database.write((db) => db.delete(sessions))
    const [inside = '', outside = ''] = await addSessions(keycard, [
      { userId, ...hit },
      { userId, ...missed }
    ])
    t.match(await run(target), { sessionsRevoked: 1 }, JSON.stringify(target))
    const left = await unrevoked(keycard)
    t.notOk(left.has(inside))
    t.ok(left.has(outside))
  }
})

t.test('a cohort without a criterion hits nobody, whoever asks', async (t) => {
  await addCrowd(keycard, 1)
  await t.rejects(run({ kind: 'cohort' }), TypeError)
  const moment = {
    now: new Date(),
    idleSince: new Date(),
    tokensSince: new Date()
  }
  t.throws(() => isHit({ kind: 'cohort', spareRole: 'service' }, moment), TypeError)
})

t.test('however many accounts are counted in one statement, each counts once', async (t) => {
  await keycard.app.database.write((db) => db.delete(sessions))
  await addSessions(
    keycard,
    accounts.flatMap(({ id }) => [{ userId: id }, { userId: id }])
  )
  const target: IncidentTarget = { kind: 'everyone', spareRole: 'service' }
  const at = new Date()
  const moment = { now: at, idleSince: hoursAgo(1), tokensSince: hoursAgo(1) }
  const { database } = keycard.app
  for (const accountsAtOnce of [1, 7, 39, 40, 41, 1_000]) {
    const census = await takeCensus(database, target, { moment, accountsAtOnce })
    t.same(census, { sessions: 40, accounts: 20, spared: 40, isComplete: true })
  }
  const cut = await takeCensus(database, target, { moment, accountsAtOnce: 1, withinMs: 0 })
  t.equal(cut.isComplete, false)
})
