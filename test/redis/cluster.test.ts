import t from 'tap'
import type { RedisClient } from '../../src/redis/client.js'
import { closeRedis } from '../../src/redis/lifecycle.js'
import { eventually } from '../support/eventually.js'
import { connectClient } from '../support/redis-client.js'
import { startCluster, type TestCluster } from '../support/redis-cluster.js'
import { replicationInfo } from '../support/redis-replication.js'
import { startRedis, type TestRedis } from '../support/redis.js'

const patience = { withinMs: 20_000 }
const keys = Array.from({ length: 100 }, (_, index) => `key-${index}`)

/** One key for each master. */
async function spread({ masterOf }: TestCluster): Promise<Map<TestRedis, string>> {
  const owned = new Map<TestRedis, string>()
  for (const key of keys) {
    if (owned.size < 3) owned.set(await masterOf(key), key)
  }
  return owned
}

/** How many the service has to a node. */
const connections = async (node: TestRedis): Promise<number> =>
  String(await node.cli('CLIENT', 'LIST')).split('name=keycard ').length - 1

/** All at once. @throws where one fails */
const setAll = (redis: RedisClient) => Promise.all(keys.map((key) => redis.set(key, 'value')))

/** Done when each master has one, though nothing was asked of it. */
async function allConnected(cluster: TestCluster): Promise<void> {
  await eventually(
    'each master is connected',
    async () => {
      const counts = await Promise.all(cluster.nodes.map(connections))
      return counts.filter((count) => count === 1).length === 3
    },
    patience
  )
}

const isReplica = async (node: TestRedis): Promise<boolean> =>
  (await replicationInfo(node, 'role')) === 'slave'

t.test('a cluster in which masters fail', async (t) => {
  const cluster = await startCluster(t)
  const { redis, isReady, log } = await connectClient(t, cluster)
  t.ok(isReady)
  const [first, second] = [...(await spread(cluster)).values()]
  if (first === undefined || second === undefined) throw new Error('One master has all keys')

  t.test('every key can be asked for from the start, all at once', async (t) => {
    const answers = await Promise.all(keys.map((key) => redis.set(key, key)))
    t.ok(answers.every((answer) => answer === 'OK'))
    t.same(await Promise.all(keys.map((key) => redis.get(key))), keys)
  })

  t.test('a replica takes over from a master that is well', async (t) => {
    const successor = await cluster.failover(first)
    await eventually('it is connected', async () => (await connections(successor)) === 1, patience)
    await eventually('it takes writes', () => setAll(redis), patience)
    t.equal(await successor.cli('GET', first), 'value')
  })

  t.test('a command that lost its connection is not sent again', async (t) => {
    await eventually('nothing is there', () => redis.del(first), patience)
    const master = await cluster.masterOf(first)
    await master.cli('CLIENT', 'PAUSE', 60_000, 'WRITE')
    const answer = t.rejects(redis.incr(first))
    await eventually('it is held up', async () =>
      String(await master.cli('CLIENT', 'LIST')).includes('cmd=incr')
    )
    await master.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await answer
    await master.cli('CLIENT', 'UNPAUSE')
    t.equal(await eventually('it is connected', () => redis.exists(first), patience), 0)
  })

  t.test('a master is killed', async (t) => {
    const killed = await cluster.masterOf(first)
    await killed.kill()
    await t.rejects(redis.set(first, 'lost'), 'and does not wait')
    t.equal(await redis.set(second, 'elsewhere'), 'OK', 'the others are asked as before')
    const successor = await cluster.successorOf(killed, first)
    await eventually('writes are taken', () => redis.set(first, 'killed'), patience)
    t.equal(await successor.cli('GET', first), 'killed')
    await killed.start()
    await eventually('it comes back as a replica', () => isReplica(killed), patience)
  })

  t.test('a master freezes, and thaws after its deposition', async (t) => {
    await redis.set(second, '0')
    const deposed = await cluster.masterOf(second)
    deposed.freeze()
    t.teardown(() => deposed.thaw())
    await t.rejects(redis.incr(second))
    await cluster.successorOf(deposed, second)
    const count = await eventually('writes are taken', () => redis.incr(second), patience)
    deposed.thaw()
    await eventually('it follows its successor', () => isReplica(deposed), patience)
    await t.rejects(deposed.cli('INCR', second), { message: /^MOVED/ })
    await t.rejects(deposed.cli('GET', second), { message: /^MOVED/ })
    t.equal(await redis.get(second), String(count), 'nothing was sent twice')
  })

  t.same(log.lines, [], 'a cluster that lacks a master is not away')
})

t.test('no replica is asked, not even where no master answers', async (t) => {
  const cluster = await startCluster(t, {
    args: ['--cluster-allow-reads-when-down', 'yes', '--cluster-replica-no-failover', 'yes']
  })
  const { redis, log } = await connectClient(t, cluster)
  const owned = await spread(cluster)
  const [[master, key = ''] = []] = owned
  if (master === undefined) throw new Error('Nobody has a key')
  await redis.set(key, 'known to all')
  const replica = await cluster.replicaOf(key)
  await eventually('the replica has it', async () => {
    const copied = await replicationInfo(replica, 'master_repl_offset')
    return copied === (await replicationInfo(master, 'master_repl_offset'))
  })
  await eventually('it is shown to all', async () => {
    const maps = await Promise.all(cluster.nodes.map((node) => node.cli('CLUSTER', 'SLOTS')))
    return maps.every((map) => JSON.stringify(map).includes(String(replica.port)))
  })
  await new Promise((resolve) => redis.once('refresh', resolve))

  const killed = [...owned.keys()]
  await Promise.all(killed.map((node) => node.kill()))
  const answers = await Promise.allSettled([...keys, key].map((each) => redis.get(each)))
  t.ok(answers.every(({ status }) => status === 'rejected'))
  await log.heard('Redis is away')
  await t.rejects(redis.get(key))

  await Promise.all(killed.map((node) => node.start()))
  await log.heard('Redis is back')
  await allConnected(cluster)
  t.equal(await eventually('it serves', () => redis.set(key, 'again'), patience), 'OK')
})

t.test('nodes that take connections and say nothing hold nobody up', async (t) => {
  const cluster = await startCluster(t)
  for (const node of cluster.nodes) node.freeze()
  const { redis, isReady, log } = await connectClient(t, { url: cluster.url, withinMs: 200 })
  t.notOk(isReady)
  await t.rejects(redis.get('key'))
  await log.heard('Redis is away')
  for (const node of cluster.nodes) node.thaw()
  await log.heard('Redis is back')
  await allConnected(cluster)
  await eventually('they take writes', () => setAll(redis))
})

t.test('closing leaves nothing open', async (t) => {
  const cluster = await startCluster(t)
  const { redis, log } = await connectClient(t, cluster)
  const all = async () => {
    const lists = await Promise.all(cluster.nodes.map((node) => node.cli('CLIENT', 'LIST')))
    return lists.join('').match(/name=\S*keycard/g)?.length ?? 0
  }
  t.ok((await all()) >= 3)
  await closeRedis(redis)
  await eventually('they are gone', async () => (await all()) === 0)
  await t.rejects(redis.get('key'))
  t.same(log.lines, [], 'that is no outage')
})

t.test('a password that is refused is not in the log', async (t) => {
  const node = await startRedis(t, {
    args: (port) => [
      ...['--cluster-enabled', 'yes', '--cluster-port', String(port + 1)],
      ...['--requirepass', 'right']
    ]
  })
  const url = `redis://:s3cret@127.0.0.1:${node.port}`
  const { log, isReady } = await connectClient(t, { url: `${url},${url}`, withinMs: 500 })
  t.notOk(isReady)
  t.match(log.lines, [{ fields: { reason: 'WRONGPASS' } }])
  t.notMatch(JSON.stringify(log.lines), 's3cret')
})
