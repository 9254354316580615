import { randomUUID } from 'node:crypto'
import { sql as drizzle } from 'drizzle-orm'
import fc from 'fast-check'
import t from 'tap'
import type { AuditEvent } from '../../src/audit/events.js'
import { type AuditFilter, type RecordedAuditEvent, searchAudit } from '../../src/audit/search.js'
import type { Database } from '../../src/database/connection.js'
import { openAuditLog } from '../support/audit.js'

async function allPages(database: Database, filter: AuditFilter, meanwhile = async () => {}) {
  const found: RecordedAuditEvent[] = []
  let cursor: string | undefined
  do {
    const page = await searchAudit(database, { ...filter, cursor })
    found.push(...page.events)
    cursor = page.nextCursor ?? undefined
    await meanwhile()
  } while (cursor !== undefined)
  return found
}

t.test('each filter finds what fits and nothing else', async (t) => {
  const { database, write, advanceMs, clock } = await openAuditLog(t)
  const [ada, eve, session] = [randomUUID(), randomUUID(), randomUUID()]
  const from = (id: string) => ({ actor: { kind: 'user', id } as const, ip: null })
  const start = clock()
  const events: Partial<AuditEvent>[] = [
    { reason: 'a', origin: from(ada), userId: ada, subject: { kind: 'session', id: session } },
    { reason: 'b', origin: from(eve), userId: ada, subject: { kind: 'user', id: ada } },
    {
      reason: 'c',
      origin: { actor: { kind: 'operator', name: 'root' }, ip: null },
      userId: null,
      subject: null,
      action: 'everyone.revoked'
    },
    { reason: 'd', origin: from(ada), userId: eve, subject: { kind: 'account', id: eve } }
  ]
  for (const event of events) {
    await write(event)
    advanceMs(1_000)
  }
  const find = async (filter: AuditFilter) =>
    (await allPages(database, { ...filter, limit: 1 })).map(({ reason }) => reason).join('')

  t.equal(await find({}), 'dcba', 'newest first')
  t.equal(await find({ actor: ada }), 'da')
  t.equal(await find({ actor: 'root' }), 'c')
  t.equal(await find({ actor: 'nobody there' }), '')
  t.equal(await find({ subject: session }), 'a')
  t.equal(await find({ subject: ada }), 'ba', 'once, where it is the subject and the account')
  t.equal(await find({ subject: eve }), 'd')
  t.equal(await find({ subject: 'no id' }), '')
  t.equal(await find({ action: 'everyone.revoked' }), 'c')
  t.equal(await find({ since: new Date(start + 1_000) }), 'dcb', 'since is included')
  t.equal(await find({ until: new Date(start + 1_000) }), 'a', 'until is not')
  t.equal(await find({ since: new Date(start + 1_001), until: new Date(start + 3_000) }), 'c')
  t.equal(await find({ since: new Date(0), until: new Date(8.64e15) }), 'dcba')
  t.equal(await find({ since: new Date(-1) }), 'dcba')
  t.equal(await find({ since: new Date(8.64e15) }), '')
  t.equal(await find({ actor: ada, subject: ada, action: 'session.opened' }), 'a')
  t.equal(await find({ actor: eve, action: 'everyone.revoked' }), '')
})

t.test('an event comes back as it was written', async (t) => {
  const { database, write, clock } = await openAuditLog(t)
  const event: AuditEvent = {
    action: 'incident.started',
    outcome: 'refused',
    origin: { actor: { kind: 'operator', name: 'root' }, ip: '2001:db8::1' },
    subject: { kind: 'incident', id: 'x' },
    userId: null,
    reason: 'é',
    details: { list: [1, { deep: true }], none: null }
  }
  await write(event)
  const { events, nextCursor } = await searchAudit(database, {})
  t.equal(nextCursor, null)
  const { origin, ...kept } = event
  t.match(events, [
    {
      ...kept,
      occurredAt: new Date(clock()),
      actor: { kind: 'operator', id: 'root' },
      ip: origin.ip,
      batch: null
    }
  ])
})

t.test('what can be no limit and no cursor is refused', async (t) => {
  const { database } = await openAuditLog(t)
  for (const limit of [0, -1, 201, 1.5, Number.NaN]) {
    await t.rejects(searchAudit(database, { limit }), RangeError)
  }
  for (const cursor of ['', 'x', 'A'.repeat(23), `${'A'.repeat(21)}B`, `${'A'.repeat(21)}=`]) {
    await t.rejects(searchAudit(database, { cursor }), RangeError)
  }
  t.same((await searchAudit(database, { cursor: 'A'.repeat(22) })).events, [])
})

t.test('over all pages each event comes once, while others are written', async (t) => {
  const { database, write, advanceMs } = await openAuditLog(t)
  const account = randomUUID()
  const actor = { kind: 'user', id: account } as const
  const step = fc.record({ about: fc.boolean(), by: fc.boolean(), pauseMs: fc.nat(1) })
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 20 }),
    fc.integer({ min: 1, max: 7 }),
    async (steps, limit) => {
      for (const { about, by, pauseMs } of steps) {
        await write({
          ...(about ? { userId: account, subject: { kind: 'account', id: account } } : {}),
          ...(by ? { origin: { actor, ip: null } } : {})
        })
        advanceMs(pauseMs)
      }
      const all = (await allPages(database, { limit: 200 })).map(({ id }) => id)
      t.equal(new Set(all).size, all.length)
      advanceMs(1)
      for (const filter of [{}, { subject: account }, { actor: account }]) {
        const expected = (await allPages(database, { ...filter, limit: 200 })).map(({ id }) => id)
        const found = await allPages(database, { ...filter, limit }, write)
        const ids = found.map(({ id }) => id)
        if (ids.join() !== expected.join()) return false
        advanceMs(1)
      }
      return true
    }
  )
  await fc.assert(property, { numRuns: 8 })
})

t.test('each filter walks an index and stops early', async (t) => {
  const { database, sql } = await openAuditLog(t)
  const account = randomUUID()
  await sql`
    insert into audit_events
      (id, occurred_at, action, outcome, actor_kind, actor, subject_kind, subject, user_id)
    select gen_random_uuid(), now(), 'session.opened', 'success', 'user', ${account}, 'account',
      ${account}, ${account}
    from generate_series(1, 4000)`
  await sql`analyze audit_events`
  const filters: AuditFilter[] = [
    {},
    { actor: account },
    { subject: account },
    { action: 'session.opened' },
    { since: new Date(0) },
    { until: new Date(8.64e15) }
  ]
  for (const filter of filters) {
    const rows = await rowsRead(database, (counting) =>
      searchAudit(counting, { ...filter, limit: 10 })
    )
    t.ok(rows >= 10 && rows <= 22, `${Object.keys(filter).join()}: ${rows} rows were read`)
  }
})

/** How many rows of the table Postgres looked at. */
async function rowsRead(database: Database, search: (database: Database) => Promise<unknown>) {
  return await database.transaction(async (tx) => {
    const count = async () => {
      const [row] = await tx.execute<{ rows: number }>(drizzle`
        select (seq_tup_read + idx_tup_fetch)::int as rows
        from pg_stat_xact_user_tables where relname = 'audit_events'`)
      return row?.rows ?? 0
    }
    const before = await count()
    await search({ ...database, read: (query) => query(tx) })
    return (await count()) - before
  })
}
