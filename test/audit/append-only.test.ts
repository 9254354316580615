import t from 'tap'
import { pruneAudit } from '../../src/audit/retention.js'
import { sealAudit } from '../../src/audit/sealing.js'
import { assertWhole, openAuditLog, tamper } from '../support/audit.js'

const batchColumns = [
  `sealed_at = sealed_at + interval '1 microsecond'`,
  'events = events + 1',
  `first_event_at = first_event_at - interval '1 microsecond'`,
  `last_event_at = last_event_at - interval '400 days'`,
  'events_hash = sha256(events_hash)',
  'previous_hash = sha256(previous_hash)',
  'hash = sha256(hash)'
]

/** A batch as the newest one, but for some fields. */
function madeUp(fields: { number?: string; first?: string; last?: string; prunedAt?: string }) {
  const { number = 'number + 1', first = 'first_event_at', last = 'last_event_at' } = fields
  return `insert into audit_batches
    select ${number}, sealed_at, events, ${first}, ${last}, events_hash, previous_hash, hash,
      ${fields.prunedAt ?? 'null'}
    from audit_batches order by number desc limit 1`
}

/** Each in a transaction of its own, on a log of three batches, the first one pruned, and one event in none. */
const refused = [
  'delete from audit_events',
  'truncate audit_events',
  'truncate audit_batches, audit_events',
  `update audit_events set reason = 'another'`,
  'update audit_events set batch = null',
  'update audit_events set batch = 3 where batch = 2',
  `update audit_events set batch = 3, reason = 'another' where batch is null`,
  `insert into audit_events select * from audit_events on conflict (id) do update set ip = null`,
  ...['0', '1', '2', '4'].map(
    (batch) => `update audit_events set batch = ${batch} where batch is null`
  ),
  ...['1', '3', '4'].map(
    (batch) => `insert into audit_events (id, batch, occurred_at, action, outcome, actor_kind)
      values (gen_random_uuid(), ${batch}, now(), 'session.opened', 'success', 'nobody')`
  ),
  ...['infinity', '-infinity'].map(
    (time) => `insert into audit_events (id, occurred_at, action, outcome, actor_kind)
      values (gen_random_uuid(), '${time}', 'session.opened', 'success', 'nobody')`
  ),
  // What is in no batch can't be put into one that says it is old, or that is pruned.
  `${madeUp({ first: `'2000-01-01'`, last: `'2000-01-02'` })};
   update audit_events set batch = 4 where batch is null`,
  `${madeUp({ last: `'2100-01-01'` })}; update audit_batches set pruned_at = now() where number > 1;
   update audit_events set batch = 4 where batch is null`,
  // Nor does another table of the same name help.
  `create temporary table audit_batches as select 2 as number, now() as pruned_at;
   delete from audit_events where batch = 2`,

  'delete from audit_batches',
  'delete from audit_batches where number = 3',
  'truncate audit_batches',
  madeUp({ number: 'number' }),
  madeUp({ number: 'number + 2' }),
  madeUp({ number: '0' }),
  madeUp({ prunedAt: 'now()' }),
  `${madeUp({ number: 'number' })} on conflict (number) do update set pruned_at = now()`,
  ...batchColumns.map((change) => `update audit_batches set ${change} where number = 3`),
  'update audit_batches set number = 4 where number = 3',
  `update audit_batches set pruned_at = now(), last_event_at = '2000-01-01' where number = 2`,
  'update audit_batches set pruned_at = null where number = 1',
  'update audit_batches set pruned_at = now() where number = 1',
  'update audit_batches set pruned_at = now()',
  'update audit_batches set pruned_at = now() where number = 3',
  `${madeUp({})}; update audit_batches set pruned_at = now() where number in (2, 4)`
]

t.test('events and batches are append-only for everybody', async (t) => {
  const audit = await openAuditLog(t)
  const { sql, verify } = audit
  await audit.write()
  await sealAudit(audit)
  audit.advanceMs(audit.retentionMs + 1)
  await pruneAudit(audit)
  await sealAudit(audit)
  await audit.write()
  await sealAudit(audit)
  // Of the same moment as those of batches 2 and 3: no time keeps it out of these.
  await audit.write()
  const read = async () => [
    ...(await sql`select * from audit_events order by id`),
    ...(await sql`select * from audit_batches order by number`)
  ]
  const before = await read()
  for (const statement of refused) {
    await t.rejects(sql.unsafe(statement), { code: '42501' }, statement)
  }
  t.same(await read(), before)
  await sealAudit(audit)
  assertWhole(t, await verify(), { batches: 4, prunedBatches: 1, events: 3, unsealed: 0 })
})

t.test('batches are pruned whatever the order they lie in', async (t) => {
  const audit = await openAuditLog(t)
  for (let batch = 0; batch < 4; batch++) {
    await audit.write()
    await sealAudit(audit)
  }
  await tamper(
    audit.sql,
    `create temporary table copied as table audit_batches;
     delete from audit_batches;
     insert into audit_batches select * from copied order by number desc`
  )
  audit.advanceMs(audit.retentionMs + 1)
  await pruneAudit(audit)
  assertWhole(t, await audit.verify(), { batches: 4, prunedBatches: 4, events: 0 })
})
