import t, { type Test } from 'tap'
import { logOut, logOutEverywhere, newHolders, tryLogOut } from '../support/card-holders.js'
import { createDeployment, startNodes } from '../support/deployment.js'
import { startHammer } from '../support/hammer.js'
import { bookmark } from '../support/node-log.js'
import { startRedis, type TestRedis } from '../support/redis.js'
import { verdict } from '../support/session-calls.js'
import { startTcpProxy } from '../support/tcp-proxy.js'

interface Outage {
  readonly args?: readonly string[]
  /** Called before anything is revoked. */
  readonly prepare?: (redis: TestRedis) => Promise<unknown>
  readonly begin: (redis: TestRedis) => Promise<unknown>
  readonly end?: (redis: TestRedis) => Promise<unknown>
}

/**
 * Revokes before, during and after an outage of Redis while two nodes are asked all the time.
 * Whatever becomes of Redis, they decide from it again by themselves.
 */
async function survive(t: Test, { args = [], prepare, begin, end }: Outage): Promise<void> {
  const redis = await startRedis(t, { args })
  const nodes = await startNodes(t, 2, { redisUrl: redis.url, mode: 'redis' })
  const [node] = nodes
  const hammer = startHammer(t, nodes)
  const people = await newHolders(node, hammer, ['early', 'everywhere', 'meanwhile', 'never'])
  await prepare?.(redis)
  await logOut(node, hammer, people.early)
  await logOutEverywhere(node, hammer, people.everywhere)
  await hammer.rounds(1)

  const log = bookmark(nodes)
  await begin(redis)
  const [meanwhile] = await Promise.all([
    tryLogOut(node, hammer, people.meanwhile),
    hammer.rounds(3)
  ])
  t.ok([204, 503].includes(meanwhile.status), 'a revocation is confirmed, or said not to be')
  await end?.(redis)
  await log.heard('deny_list.usable')

  await logOut(node, hammer, people.meanwhile)
  for (const { sessionId } of [people.early, people.meanwhile]) {
    t.equal(
      await redis.cli('GET', `deny:session:{keycard}:${sessionId}`),
      '1',
      'it is denied in Redis'
    )
  }
  t.equal(await redis.cli('GET', `deny:user:{keycard}:${people.everywhere.id}`), '2')
  await hammer.rounds(2)
  await hammer.finish(t)
}

t.test('Redis is killed and comes back empty', async (t) => {
  await survive(t, { begin: (redis) => redis.kill(), end: (redis) => redis.start() })
})

t.test('Redis is frozen and goes on', async (t) => {
  await survive(t, {
    begin: async (redis) => redis.freeze(),
    end: async (redis) => redis.thaw()
  })
})

t.test('Redis is flushed', async (t) => {
  await survive(t, { begin: (redis) => redis.cli('FLUSHALL') })
})

t.test('Redis comes back with a snapshot from before the revocations', async (t) => {
  await survive(t, {
    prepare: (redis) => redis.cli('SAVE'),
    begin: (redis) => redis.kill(),
    end: (redis) => redis.start()
  })
})

t.test('Redis comes back at once with a snapshot from before the revocations', async (t) => {
  await survive(t, {
    prepare: (redis) => redis.cli('SAVE'),
    begin: async (redis) => {
      await redis.kill()
      await redis.start()
    }
  })
})

t.test('Redis is away when the nodes start', async (t) => {
  const redis = await startRedis(t)
  await redis.kill()
  const nodes = await startNodes(t, 2, { redisUrl: redis.url, mode: 'redis' })
  const [node] = nodes
  const hammer = startHammer(t, nodes)
  const people = await newHolders(node, hammer, ['early', 'never'])
  t.equal(verdict(await tryLogOut(node, hammer, people.early)), 'DEPENDENCY_UNAVAILABLE')
  await hammer.rounds(1)
  const log = bookmark(nodes)
  await redis.start()
  await log.heard('deny_list.usable')
  await logOut(node, hammer, people.early)
  t.equal(await redis.cli('EXISTS', `deny:session:{keycard}:${people.early.sessionId}`), 1)
  await hammer.rounds(2)
  await hammer.finish(t)
})

t.test('one node gets its answers from Redis too late', async (t) => {
  const redis = await startRedis(t)
  const proxy = await startTcpProxy(t, redis.port)
  const { start } = await createDeployment(t)
  const slow = await start({ redisUrl: `redis://127.0.0.1:${proxy.port}`, mode: 'redis' })
  const node = await start({ redisUrl: redis.url, mode: 'redis' })
  const hammer = startHammer(t, [slow, node])
  const people = await newHolders(node, hammer, ['early', 'there', 'here', 'never'])
  await logOut(slow, hammer, people.early)
  proxy.delay(700)
  await hammer.rounds(1)
  await logOut(node, hammer, people.there)
  await logOut(slow, hammer, people.here)
  await hammer.rounds(3)
  const log = bookmark([slow])
  proxy.delay(0)
  await log.heard('deny_list.usable')
  await hammer.rounds(2)
  await hammer.finish(t)
})
