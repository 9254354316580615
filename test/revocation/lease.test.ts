import type { CoveredClaims } from '../../src/revocation/decision.js'
import t from 'tap'
import { createLease } from '../../src/revocation/lease.js'
import { createDeployment } from '../support/deployment.js'
import { eventually } from '../support/eventually.js'
import { bookmark } from '../support/node-log.js'
import { startPostgres } from '../support/postgres.js'
import { startRedis } from '../support/redis.js'
import { me, verdict } from '../support/session-calls.js'

function createClocks() {
  const now = { wall: 1_000_000, monotonic: 5_000 }
  return { now, clock: () => now.wall, monotonic: () => now.monotonic }
}

t.test('a lease that was never renewed does not hold', async (t) => {
  t.equal(createLease({ lifeMs: 100, ...createClocks() }).holds(), false)
})

t.test('a lease ends when either clock says so', async (t) => {
  for (const name of ['wall', 'monotonic'] as const) {
    const { now, ...clocks } = createClocks()
    const lease = createLease({ lifeMs: 100, ...clocks })
    lease.renew(lease.now())
    now[name] += 99
    t.equal(lease.holds(), true)
    now[name] += 1
    t.equal(lease.holds(), false, `the ${name} clock`)
  }
})

t.test('a lease is dated by the sending of what renewed it', async (t) => {
  const { now, ...clocks } = createClocks()
  const lease = createLease({ lifeMs: 100, ...clocks })
  const sentAt = lease.now()
  now.monotonic += 80
  lease.renew(sentAt)
  now.monotonic += 20
  t.equal(lease.holds(), false)
})

t.test('a wall clock that is set back prolongs no lease', async (t) => {
  const { now, ...clocks } = createClocks()
  const lease = createLease({ lifeMs: 100, ...clocks })
  lease.renew(lease.now())
  now.wall -= 3_600_000
  now.monotonic += 100
  t.equal(lease.holds(), false)
})

t.test('a node cut off from Postgres decides from Redis until its lease ends', async (t) => {
  const redis = await startRedis(t)
  const postgres = await startPostgres(t)
  const { start } = await createDeployment(t, { databaseUrl: postgres.url })
  const other = await start({ redisUrl: redis.url, mode: 'redis' })
  const ada = await other.register()
  t.equal((await other.post('/api/auth/logout', { token: ada.accessToken })).status, 204)
  let aheadMs = 0
  const node = await start({
    redisUrl: redis.url,
    mode: 'redis',
    clock: () => Date.now() + aheadMs
  })
  const check = async (claims: CoveredClaims) => await node.app.revocation.check(claims)
  const verification = node.accessTokens.verify(ada.accessToken)
  if (verification.kind !== 'valid') throw new Error('The token is no good')

  await eventually('it reads Redis', () => node.app.revocation.status().decidesFrom === 'redis')
  postgres.freeze()
  t.same(await check(verification.claims), { kind: 'revoked', by: 'session' })
  aheadMs = 61_000
  await t.rejects(check(verification.claims), { name: 'DatabaseUnavailable' })
  t.equal(verdict(await me(node, ada.accessToken)), 'DEPENDENCY_UNAVAILABLE')
  const log = bookmark([node])
  postgres.thaw()
  await log.heard('deny_list.usable', { withinMs: 20_000 })
  t.equal(verdict(await me(node, ada.accessToken)), 'TOKEN_REVOKED')
})
