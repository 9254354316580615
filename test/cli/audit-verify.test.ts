import t from 'tap'
import { pruneAudit } from '../../src/audit/retention.js'
import { sealAudit } from '../../src/audit/sealing.js'
import { dayMs, openAuditLog } from '../support/audit.js'
import { createCli } from '../support/cli.js'

t.setTimeout(120_000)

t.test('keycard audit verify says what it found, and what it could not tell', async (t) => {
  const audit = await openAuditLog(t)
  const cli = await createCli(t, { DATABASE_URL: audit.url })
  const verify = async (...args: readonly string[]) => await cli.run(['audit', 'verify', ...args])
  audit.advanceMs(Date.now() - audit.clock() - 5 * dayMs)
  await audit.write()
  await sealAudit(audit)
  const head = audit.log.lines.at(-1)?.hash ?? ''

  const [people, script, proven] = await Promise.all([
    verify(),
    verify('--json'),
    verify('--head', head)
  ])
  t.equal(people.code, 0)
  t.match(
    people.stdout,
    /^What is there of the audit log is whole\.\n\nThat no batch was cut off .*\n/
  )
  t.match(script.json, {
    findings: { length: 0 },
    unproven: /cut off at the end.* can't be told without the head of an earlier sealing/
  })
  t.equal(proven.code, 0)
  t.match(proven.stdout, /^The audit log is whole\.\n\nbatches/)

  audit.advanceMs(2 * dayMs)
  await pruneAudit({ ...audit, retentionMs: dayMs })
  const [young, due] = await Promise.all([
    verify(),
    cli.run(['audit', 'verify', '--head', head, '--json'], { env: { AUDIT_RETENTION: '1d' } })
  ])
  t.equal(young.code, 1)
  t.match(
    young.stdout,
    /tampered with:\n {2}pruned too early: Batch 1 .* AUDIT_RETENTION of 400 days/
  )
  t.match(young.stdout, /\n\nThat no batch was cut off/, 'and that is said here too')
  t.equal(due.code, 0, 'the retention is the configured one')
  t.match(due.json, { prunedBatches: 1, findings: { length: 0 }, unproven: null })
})
