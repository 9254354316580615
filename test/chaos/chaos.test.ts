import t, { type Test } from 'tap'
import { accountOf } from './account-of.js'
import { type HarnessOptions, runHarness } from './harness.js'
import { isSuccess } from './history.js'
import { summarise } from './summary.js'

const mostAccounts = 5

/** Asserts that a run with these faults breaks no promise, and that it tried to. */
async function survives(t: Test, options: Omit<HarnessOptions, 'minutes'>): Promise<void> {
  const report = await runHarness(t, { minutes: 3, ...options })
  const { history, violations } = report
  for (const line of summarise(report)) t.comment(line)
  for (const violation of violations.slice(0, mostAccounts)) {
    for (const line of accountOf(violation, history)) t.comment(line)
  }
  t.equal(violations.length, 0, 'no promise was broken')
  t.equal(history.faults.length, options.kinds?.length, 'every fault was inflicted')
  const revoked = history.calls.filter((call) => call.kind === 'revocation' && isSuccess(call))
  const scopes = new Set(revoked.map((call) => call.kind === 'revocation' && call.scope))
  t.ok(scopes.has('session') && scopes.has('user'), `${revoked.length} revocations were confirmed`)
}

t.test('no promise is broken by what happens to nodes and to Redis', async (t) => {
  await survives(t, {
    seed: 1,
    kinds: [
      'freeze nodes',
      'flush redis',
      'kill nodes',
      'restart redis',
      'block event loops',
      'redis failover'
    ]
  })
})
