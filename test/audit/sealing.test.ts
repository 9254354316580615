import t from 'tap'
import { recordAudit } from '../../src/audit/events.js'
import { sealAudit } from '../../src/audit/sealing.js'
import { verifyAudit } from '../../src/audit/verification.js'
import { connectDatabase } from '../../src/database/connection.js'
import { assertWhole, auditEvent, dayMs, openAuditLog } from '../support/audit.js'
import { startKeycard } from '../support/keycard.js'
import { eventually } from '../support/eventually.js'

t.test('of many writers and sealers each event is sealed once', async (t) => {
  const audit = await openAuditLog(t)
  const { url, sql, log, clock, verify } = audit
  const sealers = [0, 1, 2].map(() => connectDatabase(url))
  t.teardown(() => Promise.all(sealers.map((sealer) => sealer.close())))
  const [writers, each] = [12, 40]

  const writing = new AbortController()
  const sealing = sealers.map(async (sealer) => {
    while (!writing.signal.aborted) await sealAudit({ database: sealer, clock, log })
  })
  const verifying = (async () => {
    while (!writing.signal.aborted) t.same((await verify()).findings, [], 'whole at any moment')
  })()
  await Promise.all(
    Array.from({ length: writers }, async () => {
      for (let count = 0; count < each; count++) await audit.write()
    })
  )
  writing.abort()
  await Promise.all([...sealing, verifying])
  await sealAudit(audit)

  const verification = await verify()
  assertWhole(t, verification, { events: writers * each, unsealed: 0 })
  t.ok(verification.batches > 1)
  const numbers = log.lines.map(({ number }) => number ?? 0)
  t.same(
    numbers.sort((left, right) => left - right),
    Array.from({ length: verification.batches }, (_, index) => index + 1),
    'each batch was announced once'
  )
  const [counted] = await sql`
    select count(*)::int as all, count(distinct id)::int as ids, count(batch)::int as sealed
    from audit_events`
  t.same(counted, { all: writers * each, ids: writers * each, sealed: writers * each })
})

t.test('a batch is bounded, and one call seals all there is', async (t) => {
  const audit = await openAuditLog(t)
  await audit.sql`
    insert into audit_events (id, occurred_at, action, outcome, actor_kind)
    select gen_random_uuid(), now(), 'session.opened', 'success', 'nobody'
    from generate_series(1, 1001)`
  await sealAudit(audit)
  t.same(
    audit.log.lines.map(({ events }) => events),
    [500, 500, 1]
  )
  await sealAudit(audit)
  t.equal(audit.log.lines.length, 3, 'nothing more, nothing empty')
  assertWhole(t, await audit.verify(), { batches: 3, events: 1001 })
})

t.test('nobody waits for an event that is not committed yet; it is sealed later', async (t) => {
  const audit = await openAuditLog(t)
  const { database, sql, clock, verify } = audit
  await database.transaction(async (tx) => {
    await recordAudit(tx, auditEvent({ reason: 'late' }), new Date(clock()))
    audit.advanceMs(1_000)
    await audit.write({ reason: 'early' })
    await sealAudit(audit)
  })
  await sealAudit(audit)
  const rows = await sql`select reason, batch from audit_events order by batch`
  t.same(
    [...rows],
    [
      { reason: 'early', batch: 1 },
      { reason: 'late', batch: 2 }
    ]
  )
  t.same((await verify()).findings, [])
})

t.test('while somebody seals, others leave it to them and writers go on', async (t) => {
  const audit = await openAuditLog(t)
  const { url, database, sql, log } = audit
  await audit.write()
  const slow = connectDatabase(url)
  t.teardown(() => slow.close())
  await sql`create function hold() returns trigger language plpgsql as
    $$ begin perform pg_advisory_xact_lock(1); return new; end $$`
  await sql`create trigger hold before insert on audit_batches
    for each row execute function hold()`
  await sql`select pg_advisory_lock(1)`
  const held = sealAudit({ ...audit, database: slow })
  await eventually('the sealer is held', async () => {
    const [row] = await sql`select count(*)::int as waiting from pg_locks where not granted`
    return row?.['waiting'] === 1
  })
  await audit.write()
  await sealAudit({ ...audit, database })
  t.same(log.lines, [], 'nothing was sealed, and nobody waited')
  await sql`select pg_advisory_unlock(1)`
  await held
  t.match(log.lines, [{ event: 'audit.sealed', number: 1, events: 1 }])
})

t.test('a running node seals by itself, and says so in its log', async (t) => {
  const keycard = await startKeycard(t, { env: { AUDIT_SEAL_INTERVAL: '100ms' } })
  await keycard.register()
  const { database } = keycard.app
  const verify = () => verifyAudit({ database, clock: Date.now, retentionMs: dayMs })
  await eventually('the events are sealed', async () => {
    const { events, unsealed } = await verify()
    return events === 2 && unsealed === 0
  })
  const lines = keycard.log.filter((line) => line.includes('"audit.sealed"'))
  const { head } = await verify()
  t.match(JSON.parse(lines.at(-1) ?? '{}'), { level: 30, ...head })
})
