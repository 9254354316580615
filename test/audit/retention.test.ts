import t from 'tap'
import { pruneAudit } from '../../src/audit/retention.js'
import { searchAudit } from '../../src/audit/search.js'
import { sealAudit } from '../../src/audit/sealing.js'
import type { Database } from '../../src/database/connection.js'
import { assertWhole, dayMs, openAuditLog } from '../support/audit.js'

t.test('whole batches go when all of their events are old, and the chain stays', async (t) => {
  const audit = await openAuditLog(t)
  const { database, sql, log, advanceMs, verify } = audit
  const prune = () => pruneAudit(audit)
  await audit.write()
  advanceMs(5 * dayMs)
  await audit.write()
  await sealAudit(audit)
  await audit.write()
  await sealAudit(audit)
  const expectedHead = log.lines.at(-1)?.hash

  advanceMs(6 * dayMs)
  await prune()
  t.match(await verify(), { prunedBatches: 0, events: 3 }, 'one event of it is young')

  advanceMs(4 * dayMs)
  await prune()
  t.match(await verify(), { prunedBatches: 0, events: 3 }, 'to the millisecond')

  advanceMs(1)
  await audit.write()
  await prune()
  assertWhole(t, await verify({ expectedHead }), {
    batches: 2,
    prunedBatches: 2,
    events: 0,
    unsealed: 2
  })
  const { events } = await searchAudit(database, { action: 'audit.pruned' })
  t.match(events, [
    {
      actor: { kind: 'service', id: null },
      subject: { kind: 'batch', id: '2' },
      details: { from: 1, to: 2, events: 3 }
    }
  ])
  t.match(log.lines.at(-1), { event: 'audit.pruned', from: 1, to: 2, events: 3 })
  const [batch] = await sql`select pruned_at from audit_batches where number = 1`
  t.ok(batch?.['pruned_at'])

  await sealAudit(audit)
  await prune()
  assertWhole(t, await verify({ expectedHead }), { batches: 3, events: 2 })
})

t.test('many old batches go in bounded steps, while others verify', async (t) => {
  const audit = await openAuditLog(t)
  for (let batch = 0; batch < 23; batch++) {
    await audit.write()
    await sealAudit(audit)
  }
  audit.advanceMs(audit.retentionMs + 1)
  const pruning = [0, 1, 2].map(() => pruneAudit(audit))
  for (let round = 0; round < 5; round++) {
    t.same((await audit.verify()).findings, [])
  }
  await Promise.all(pruning)
  await pruneAudit(audit)
  assertWhole(t, await audit.verify(), { prunedBatches: 23, events: 0 })
  const steps = audit.log.lines.filter(({ event }) => event === 'audit.pruned')
  t.same(
    steps.map(({ events }) => events),
    [5, 5, 5, 5, 3]
  )
})

t.test('what is pruned while it is verified is no finding', async (t) => {
  const audit = await openAuditLog(t)
  for (let batch = 0; batch < 3; batch++) {
    await audit.write()
    await sealAudit(audit)
  }
  audit.advanceMs(audit.retentionMs + 1)
  let reads = 0
  const interrupted: Database = {
    ...audit.database,
    async read(query) {
      // The batches are read by the first one, their events by the second.
      if (++reads === 2) await pruneAudit(audit)
      return await audit.database.read(query)
    }
  }
  assertWhole(t, await audit.verify({ database: interrupted }), { batches: 3 })
  assertWhole(t, await audit.verify(), { prunedBatches: 3 })
})
