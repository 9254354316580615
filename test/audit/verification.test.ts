import t, { type Test } from 'tap'
import { sealAudit } from '../../src/audit/sealing.js'
import type { AuditVerification } from '../../src/audit/verification.js'
import { assertWhole, openAuditLog, tamper } from '../support/audit.js'

const batchCount = 4
const eventsEach = 3

/** Four batches of three events, and one event that is in none. */
async function openSealed(t: Test) {
  const audit = await openAuditLog(t)
  for (let batch = 0; batch < batchCount; batch++) {
    for (let event = 0; event < eventsEach; event++) {
      await audit.write()
      audit.advanceMs(7)
    }
    await sealAudit(audit)
  }
  await audit.write()
  return audit
}

t.test('a chain that nobody touched is whole', async (t) => {
  const { verify, log } = await openSealed(t)
  const sealed = log.lines.filter(({ event }) => event === 'audit.sealed')
  const head = sealed.at(-1)
  t.match(await verify(), {
    batches: batchCount,
    prunedBatches: 0,
    events: batchCount * eventsEach,
    unsealed: 1,
    head: { number: batchCount, hash: head?.hash },
    findings: [],
    furtherFindings: 0,
    unproven: /no batch was cut off at the end.* can't be told without the head/
  })
  for (const { hash } of sealed) {
    const anchored = await verify({ expectedHead: hash })
    t.match(anchored, { findings: { length: 0 }, unproven: null }, 'an anchor')
  }
})

t.test('a log without events is whole, unless something is expected of it', async (t) => {
  const { verify } = await openAuditLog(t)
  assertWhole(t, await verify(), { batches: 0, events: 0, head: null })
  const expectedHead = 'ab'.repeat(32)
  t.same(faults(await verify({ expectedHead })), [['anchor missing', null]])
})

/** The second event of batch 2. */
const event = '(select id from audit_events where batch = 2 order by id offset 1 limit 1)'

const changes = [
  `action = 'account.renamed'`,
  `outcome = 'refused'`,
  `actor = null`,
  `actor_kind = 'client'`,
  `subject = subject || 'x'`,
  `subject_kind = 'user'`,
  `subject_kind = null, subject = null`,
  `user_id = gen_random_uuid()`,
  `ip = '192.0.2.2'`,
  `reason = ''`,
  `reason = null`,
  `reason = 'log', ip = 'in' || ip`,
  `details = details || '{"z": 1.0}'`,
  `details = null`,
  `occurred_at = occurred_at + interval '1 microsecond'`,
  `id = gen_random_uuid()`
]

function faults({ findings }: AuditVerification) {
  return findings.map(({ fault, batch }) => [fault, batch])
}

type Tampering = readonly [
  what: string,
  statement: string,
  expected: readonly (readonly [fault: string, batch: number])[]
]

function changedEvent(change: string): Tampering {
  const statement = `update audit_events set ${change} where id = ${event}`
  return [`an event's ${change}`, statement, [['event changed', 2]]]
}

const tamperings: readonly Tampering[] = [
  ...changes.map(changedEvent),
  ['an event gone', `delete from audit_events where id = ${event}`, [['event removed', 2]]],
  [
    'an event more',
    `insert into audit_events (id, batch, occurred_at, action, outcome, actor_kind)
     values (gen_random_uuid(), 2, now(), 'session.opened', 'success', 'nobody')`,
    [['event added', 2]]
  ],
  [
    'an event in another batch',
    `update audit_events set batch = 3 where id = ${event}`,
    [
      ['event removed', 2],
      ['event added', 3]
    ]
  ],
  [
    'an event out of its batch',
    `update audit_events set batch = null where id = ${event}`,
    [['event removed', 2]]
  ],
  [
    'an event in a batch to come',
    `insert into audit_events (id, batch, occurred_at, action, outcome, actor_kind)
     values (gen_random_uuid(), 6, now(), 'session.opened', 'success', 'nobody')`,
    [['batch removed', 6]]
  ],
  [
    'an event in a batch that is none',
    `insert into audit_events (id, batch, occurred_at, action, outcome, actor_kind)
     values (gen_random_uuid(), 0, now(), 'session.opened', 'success', 'nobody')`,
    [['event added', 0]]
  ],
  [
    'a batch gone with its events',
    `with gone as (delete from audit_batches where number = 2)
     delete from audit_events where batch = 2`,
    [['batch removed', 2]]
  ],
  ['a batch gone', 'delete from audit_batches where number = 2', [['batch removed', 2]]],
  ['the first batch gone', 'delete from audit_batches where number = 1', [['batch removed', 1]]],
  ['the last batch gone', 'delete from audit_batches where number = 4', [['batch removed', 4]]],
  [
    'two batches in the place of each other',
    `update audit_batches set number = -number where number in (2, 3);
     update audit_batches set number = 5 + number where number < 0;
     update audit_events set batch = 5 - batch where batch in (2, 3)`,
    [
      ['link broken', 2],
      ['batch changed', 2],
      ['link broken', 3],
      ['batch changed', 3],
      ['link broken', 4]
    ]
  ],
  [
    'a batch sealed at another time',
    `update audit_batches set sealed_at = sealed_at + interval '1 microsecond' where number = 2`,
    [['batch changed', 2]]
  ],
  [
    'a batch of another span',
    `update audit_batches set last_event_at = last_event_at - interval '1 day' where number = 2`,
    [['batch changed', 2]]
  ],
  [
    'a batch with another count',
    'update audit_batches set events = 2 where number = 2',
    [
      ['batch changed', 2],
      ['event added', 2]
    ]
  ],
  [
    'a batch with another hash',
    `update audit_batches set hash = sha256(hash) where number = 2`,
    [
      ['batch changed', 2],
      ['link broken', 3]
    ]
  ],
  [
    'a batch with another hash of its events',
    `update audit_batches set events_hash = sha256(events_hash) where number = 2`,
    [
      ['batch changed', 2],
      ['event changed', 2]
    ]
  ],
  [
    'a link to another batch',
    `update audit_batches set previous_hash = sha256(previous_hash) where number = 2`,
    [
      ['link broken', 2],
      ['batch changed', 2]
    ]
  ],
  [
    'a batch pruned before an older one',
    `update audit_batches set pruned_at = now() where number = 2;
     delete from audit_events where batch = 2`,
    [
      ['pruned out of order', 2],
      ['pruned too early', 2],
      ['pruning not recorded', 2]
    ]
  ],
  [
    'a batch pruned in part',
    `update audit_batches set pruned_at = now() where number = 1;
     delete from audit_events where batch = 1 and id <> (select min(id::text)::uuid from audit_events)`,
    [
      ['pruned in part', 1],
      ['pruned too early', 1],
      ['pruning not recorded', 1]
    ]
  ],
  [
    'an event in a pruned batch',
    `update audit_batches set pruned_at = now() where number = 1;
     update audit_events set batch = null where batch = 1;
     update audit_events set batch = 1 where id = ${event}`,
    [
      ['pruned in part', 1],
      ['pruned too early', 1],
      ['event removed', 2],
      ['pruning not recorded', 1]
    ]
  ],
  [
    'a batch made up and pruned, to be rid of what was not sealed',
    `insert into audit_batches
     select 5, sealed_at, 1, first_event_at, last_event_at, events_hash, hash, sha256(hash), now()
     from audit_batches where number = 4;
     delete from audit_events where batch is null`,
    [
      ['batch changed', 5],
      ['pruned out of order', 5],
      ['pruned too early', 5],
      ['pruning not recorded', 5]
    ]
  ],
  [
    'times that are none',
    `update audit_batches set sealed_at = 'infinity', pruned_at = '-infinity' where number = 1;
     delete from audit_events where batch = 1`,
    [
      ['batch changed', 1],
      ['pruned too early', 1],
      ['pruning not recorded', 1]
    ]
  ]
]

t.test('whatever is tampered with is found and named', async (t) => {
  const { verify, sql } = await openSealed(t)
  await sql.unsafe('create table events_copy as table audit_events')
  await sql.unsafe('create table batches_copy as table audit_batches')
  for (const [what, statement, expected] of tamperings) {
    await tamper(sql, statement)
    t.same(faults(await verify()), expected, what)
    await tamper(
      sql,
      `delete from audit_events; insert into audit_events table events_copy;
       delete from audit_batches; insert into audit_batches table batches_copy`
    )
  }
  t.same((await verify()).findings, [], 'and all of it was put right again')
})

t.test('a chain that is cut off or written anew is found by an anchor alone', async (t) => {
  const audit = await openSealed(t)
  const { verify, sql, log } = audit
  const expectedHead = log.lines.at(-1)?.hash ?? ''
  const tail = `delete from audit_events where batch = 4; delete from audit_batches where number = 4`
  await tamper(sql, tail)
  t.same((await verify()).findings, [], 'nothing is left that could tell')
  t.same(faults(await verify({ expectedHead })), [['anchor missing', null]])

  const anew = `delete from audit_batches; update audit_events set batch = null, reason = 'nothing'`
  await tamper(sql, anew)
  await sealAudit(audit)
  t.same((await verify()).findings, [])
  t.same(faults(await verify({ expectedHead })), [['anchor missing', null]])
})

t.test('the hashes are those that the documentation says', async (t) => {
  const { sql } = await openSealed(t)
  await sql`
    create function us(timestamptz) returns text language sql return
      (extract(epoch from $1) * 1000000)::bigint::text`
  const [hashes] = await sql<{ count: number; whole: boolean }[]>`
    with fields as (
      select batch, id, array[
        id::text, us(occurred_at), action, outcome::text,
        actor_kind, actor, subject_kind, subject, user_id::text, ip, reason, details::text
      ] as all_of_it
      from audit_events
    ), written as (
      select batch, id, (
        select string_agg(coalesce(octet_length(f) || ':' || f, '-'), '' order by place)
        from unnest(all_of_it) with ordinality as each(f, place)
      ) as text from fields
    ), digests as (
      select batch, sha256(convert_to(
        E'keycard audit events v1\n' || string_agg(text, '' order by id), 'UTF8')) as hash
      from written group by batch
    )
    select count(*)::int, bool_and(events_hash = digests.hash) as whole
    from audit_batches join digests on batch = number`
  t.same(hashes, { count: batchCount, whole: true })

  const [chain] = await sql<{ count: number; whole: boolean }[]>`
    with fields as (
      select number, hash, array[
        number::text, us(sealed_at), events::text, us(first_event_at), us(last_event_at),
        encode(events_hash, 'hex'),
        encode(coalesce(lag(hash) over (order by number), decode(repeat('00', 32), 'hex')), 'hex')
      ] as all_of_it
      from audit_batches
    ), written as (
      select hash, (select string_agg(octet_length(f) || ':' || f, '' order by place)
        from unnest(all_of_it) with ordinality as each(f, place)) as text
      from fields
    )
    select count(*)::int,
      bool_and(hash = sha256(convert_to(E'keycard audit batch v1\n' || text, 'UTF8'))) as whole
    from written`
  t.same(chain, { count: batchCount, whole: true })
})
