import t, { type Test } from 'tap'
import { checkRecords } from '../../src/audit/pruning-check.js'
import { pruneAudit } from '../../src/audit/retention.js'
import { sealAudit } from '../../src/audit/sealing.js'
import type { AuditVerification } from '../../src/audit/verification.js'
import type { Database } from '../../src/database/connection.js'
import { assertWhole, dayMs, openAuditLog, tamper } from '../support/audit.js'

const batchCount = 4

/** Four batches of one event, a day apart. */
async function openSealed(t: Test) {
  const audit = await openAuditLog(t)
  for (let batch = 0; batch < batchCount; batch++) {
    audit.advanceMs(dayMs)
    await audit.write()
    await sealAudit(audit)
  }

  /** An event as that of a pruning: anybody can write one. */
  async function tellOf(details: Readonly<Record<string, unknown>>): Promise<void> {
    await audit.write({ action: 'audit.pruned', details })
  }

  return { ...audit, tellOf }
}

function faults({ findings }: AuditVerification) {
  return findings.map(({ fault, batch }) => [fault, batch])
}

/** As one can do it whom the triggers stop, and who doesn't wait for the retention. */
const pruneByHand = (upTo: number) =>
  `update audit_batches set pruned_at = now() where number <= ${upTo};
   delete from audit_events where batch <= ${upTo}`

const each = (fault: string, batches: readonly number[]) => batches.map((batch) => [fault, batch])

t.test('who passes events for pruned is found, with and without triggers', async (t) => {
  const audit = await openSealed(t)
  const all = [1, 2, 3, 4]
  const expected = [...each('pruned too early', all), ...each('pruning not recorded', [4, 3, 2, 1])]
  await audit.sql.unsafe(pruneByHand(batchCount))
  t.same(faults(await audit.verify()), expected, 'triggers let it pass')

  const other = await openSealed(t)
  await tamper(other.sql, pruneByHand(batchCount))
  t.same(faults(await other.verify()), expected)
})

t.test('a batch whose events were not due to go is found, whatever is said of it', async (t) => {
  const { sql, verify, advanceMs, tellOf, retentionMs } = await openSealed(t)
  advanceMs(retentionMs - 2.5 * dayMs)
  await tellOf({ from: 1, to: 3, events: 3 })
  await sql.unsafe(pruneByHand(3))
  const young = await verify()
  t.same(faults(young), each('pruned too early', [2, 3]), 'one is old enough')
  t.match(young.findings[0]?.message, /^Batch 2 .*present AUDIT_RETENTION of 10 days.*shorter when/)
  assertWhole(t, await verify({ retentionMs: 8 * dayMs }), { prunedBatches: 3 })
  t.same(faults(await verify({ retentionMs: 11 * dayMs })), each('pruned too early', [1, 2, 3]))
})

t.test('the clock of the node that prunes may be a little ahead', async (t) => {
  const audit = await openSealed(t)
  audit.advanceMs(audit.retentionMs + 1)
  await pruneAudit(audit)
  const behind = (ms: number) => audit.verify({ clock: () => audit.clock() - ms })
  assertWhole(t, await behind(60_000), { prunedBatches: batchCount })
  t.same(faults(await behind(61_000)), each('pruned too early', [4]))
})

t.test('a pruning that the audit does not tell of is found', async (t) => {
  const { sql, verify, advanceMs, tellOf, retentionMs } = await openSealed(t)
  advanceMs(retentionMs + dayMs)
  await sql.unsafe(pruneByHand(3))
  t.same(faults(await verify()), each('pruning not recorded', [3, 2, 1]))
  for (const details of [
    {},
    { from: 1 },
    { from: '1', to: '3' },
    { from: 3, to: 1 },
    { from: null, to: [] },
    { from: 4, to: 5 }
  ]) {
    await tellOf(details)
  }
  t.same(faults(await verify()), each('pruning not recorded', [3, 2, 1]), 'by nothing that fits')
  await tellOf({ from: 3, to: 3 })
  t.same(faults(await verify()), each('pruning not recorded', [2, 1]))
  await tellOf({ from: 1, to: 1 })
  await tellOf({ from: 2, to: 2 })
  assertWhole(t, await verify(), { prunedBatches: 3 })
})

t.test('an earlier date does not spare the newest pruned batch its event', async (t) => {
  const { sql, verify, advanceMs, retentionMs } = await openSealed(t)
  advanceMs(retentionMs + dayMs)
  await sql`update audit_batches set pruned_at = first_event_at where number <= 3`
  await sql`delete from audit_events where batch <= 3`
  t.same(faults(await verify()), each('pruning not recorded', [3]))
})

t.test('what is pruned again and again is whole, at any moment of it', async (t) => {
  const audit = await openAuditLog(t)
  const { advanceMs, retentionMs, verify } = audit

  /** Verifies, and the next batch is pruned before one of the reads. @returns how many reads there were */
  async function verifyDisturbed(atRead: number): Promise<number> {
    let reads = 0
    const disturbed: Database = {
      ...audit.database,
      async read(query) {
        if (++reads === atRead) await pruneAudit(audit)
        return await audit.database.read(query)
      }
    }
    t.same((await verify({ database: disturbed })).findings, [], `pruned before read ${atRead}`)
    return reads
  }

  for (let atRead = 1, reads = 1; atRead <= reads; atRead++) {
    await audit.write()
    await sealAudit(audit)
    // The event of the last pruning is due, and so that of the pruning before is gone for long.
    advanceMs(retentionMs + 1)
    reads = await verifyDisturbed(atRead)
    await sealAudit(audit)
  }
  const { prunedBatches, batches } = await verify()
  t.ok(prunedBatches > 8 && batches > prunedBatches, `${prunedBatches} of ${batches} were pruned`)
})

t.test('as many prunings as there may be are read, a page at a time', async (t) => {
  const { database, sql } = await openAuditLog(t)
  await sql`
    insert into audit_batches
    select number, 'epoch', 1, 'epoch', 'epoch', '', '', '', null
    from generate_series(1, 2001) as number`
  await sql`update audit_batches set pruned_at = now()`
  await sql`
    insert into audit_events (id, occurred_at, action, outcome, actor_kind, details)
    select ('00000000-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid, now(), 'audit.pruned',
      'success', 'service', jsonb_build_object('from', number, 'to', number)
    from generate_series(1, 2001) as number where number not in (500, 1700)`
  const found: unknown[] = []
  await checkRecords(database, 2001, (fault, batch) => {
    found.push([fault, batch])
  })
  t.same(found, each('pruning not recorded', [1700, 500]))
})
