import t from 'tap'
import { logOut, newHolders, tryLogOut } from '../support/card-holders.js'
import { startNodes } from '../support/deployment.js'
import { eventually } from '../support/eventually.js'
import { startHammer } from '../support/hammer.js'
import { bookmark } from '../support/node-log.js'
import { startRedis, type TestRedis } from '../support/redis.js'
import { me, verdict } from '../support/session-calls.js'

async function configure(redis: TestRedis, policy: string, maxmemory: number): Promise<void> {
  await redis.cli('CONFIG', 'SET', 'maxmemory-policy', policy, 'maxmemory', maxmemory)
}

t.test('Redis is told to evict, and drops entries but not what marks them as whole', async (t) => {
  const redis = await startRedis(t)
  const nodes = await startNodes(t, 2, { redisUrl: redis.url, mode: 'redis' })
  const [node] = nodes
  const hammer = startHammer(t, nodes)
  const people = await newHolders(node, hammer, ['early', 'meanwhile', 'never'])
  await logOut(node, hammer, people.early)
  const marker = await redis.cli('GET', '{keycard}:dataset')

  await configure(redis, 'volatile-ttl', 1)
  await eventually(
    'the entry is dropped',
    async () =>
      (await redis.cli('EXISTS', `deny:session:{keycard}:${people.early.sessionId}`)) === 0
  )
  t.equal(await redis.cli('GET', '{keycard}:dataset'), marker)
  await hammer.rounds(2)
  t.equal(verdict(await tryLogOut(node, hammer, people.meanwhile)), 'DEPENDENCY_UNAVAILABLE')
  const log = bookmark(nodes)
  await configure(redis, 'noeviction', 0)
  await log.heard('deny_list.usable')
  t.equal(await redis.cli('EXISTS', `deny:session:{keycard}:${people.early.sessionId}`), 1)
  await logOut(node, hammer, people.meanwhile)
  await hammer.rounds(2)
  await hammer.finish(t)
})

t.test('nobody decides from a Redis that may evict', async (t) => {
  const redis = await startRedis(t, {
    args: ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru']
  })
  const nodes = await startNodes(t, 2, { redisUrl: redis.url, mode: 'redis' })
  const [node] = nodes
  const hammer = startHammer(t, nodes)
  const people = await newHolders(node, hammer, ['early', 'never'])
  const unconfirmed = await tryLogOut(node, hammer, people.early)
  t.equal(verdict(unconfirmed), 'DEPENDENCY_UNAVAILABLE', 'there is nowhere to publish it')
  t.equal(await redis.cli('EXISTS', '{keycard}:dataset'), 0)
  t.match(
    node.log.filter((line) => line.includes('set maxmemory-policy')),
    [/"level":40.*set maxmemory-policy noeviction/],
    'the log says once what is to be done'
  )
  const log = bookmark(nodes)
  await configure(redis, 'noeviction', 0)
  await log.heard('deny_list.usable')
  await logOut(node, hammer, people.early)
  await hammer.rounds(2)
  await hammer.finish(t)
})

t.test('Redis has no memory left for a revocation', async (t) => {
  const redis = await startRedis(t)
  const nodes = await startNodes(t, 2, { redisUrl: redis.url, mode: 'redis' })
  const [node] = nodes
  const hammer = startHammer(t, nodes)
  const people = await newHolders(node, hammer, ['early', 'refused', 'never'])
  await logOut(node, hammer, people.early)

  await configure(redis, 'noeviction', 1)
  t.equal(verdict(await tryLogOut(node, hammer, people.refused)), 'DEPENDENCY_UNAVAILABLE')
  for (const each of nodes) {
    await eventually(
      'it takes effect without Redis',
      async () => verdict(await me(each, people.refused.accessToken)) === 'TOKEN_REVOKED'
    )
  }
  const log = bookmark(nodes)
  await configure(redis, 'noeviction', 0)
  await log.heard('deny_list.usable')
  await logOut(node, hammer, people.refused)
  t.equal(await redis.cli('EXISTS', `deny:session:{keycard}:${people.refused.sessionId}`), 1)
  await hammer.rounds(2)
  await hammer.finish(t)
})
