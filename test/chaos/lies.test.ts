import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { sharedBuild } from '../support/shared-build.js'
import { runHarness } from './harness.js'
import type { FaultKind } from './schedule.js'

/** Runs four nodes that tell this lie through these faults. @returns how often it was found out */
async function caught(
  t: Test,
  options: { lie: string; mode: string; kinds: FaultKind[] }
): Promise<number> {
  const { violations } = await runHarness(t, { seed: 2, minutes: 1, ...options })
  return violations.filter(({ rule }) => rule === 'accepted after its revocation').length
}

t.test('nodes that trust an empty Redis are caught', async (t) => {
  const count = await caught(t, {
    lie: 'an empty Redis is trusted',
    mode: 'redis',
    kinds: ['flush redis', 'empty redis', 'flush redis', 'empty redis']
  })
  t.ok(count > 0, `${count} revoked tokens were accepted, and the checker says so`)
})

t.test('nodes whose lease never ends are caught', async (t) => {
  const count = await caught(t, {
    lie: 'the lease never ends',
    mode: 'replica',
    kinds: ['freeze nodes', 'freeze nodes', 'freeze nodes']
  })
  t.ok(count > 0, `${count} revoked tokens were accepted, and the checker says so`)
})

t.test('a node can be made to believe that its lease never ends', async (t) => {
  const build = await sharedBuild(t)
  const script = `
    const { createLease } = await import(${JSON.stringify(build.source('revocation/lease'))})
    const lease = createLease({ lifeMs: 0, clock: Date.now })
    const before = lease.holds()
    lease.renew(lease.now())
    console.log(before, lease.holds())`
  const run = async (args: string[]) => {
    const all = [...args, '--input-type=module', '--eval', script]
    const env = { ...process.env, CHAOS_LIE: 'the lease never ends' }
    return (await promisify(execFile)(process.execPath, all, { env })).stdout.trim()
  }
  t.equal(await run([]), 'false false')
  t.equal(await run([`--import=${build.inside('tell-lie')}`]), 'false true')
})
