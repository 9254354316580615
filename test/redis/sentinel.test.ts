import t from 'tap'
import { reconnectRedis } from '../../src/redis/reconnect.js'
import { eventually } from '../support/eventually.js'
import { connectClient } from '../support/redis-client.js'
import { startRedis } from '../support/redis.js'
import { replicationInfo } from '../support/redis-replication.js'
import { startSentinel } from '../support/redis-sentinel.js'

const patience = { withinMs: 20_000 }

t.test('the primary is found by any sentinel that answers', async (t) => {
  const { url, sentinels, primary } = await startSentinel(t)
  sentinels[0]?.freeze()
  await sentinels[1]?.kill()
  const { redis, isReady, log } = await connectClient(t, { url })
  t.ok(isReady)
  t.equal(await redis.set('key', 'value'), 'OK')
  t.equal(await (await primary()).cli('GET', 'key'), 'value')
  t.same(log.lines, [])
})

t.test('connecting anew again and again is no outage', async (t) => {
  const { url, primary } = await startSentinel(t)
  const { redis, log } = await connectClient(t, { url })
  const server = await primary()
  for (let count = 0; count < 7; count++) {
    const ready = new Promise((resolve) => redis.once('ready', resolve))
    await server.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await ready
  }
  t.equal(await redis.ping(), 'PONG')
  t.same(log.lines, [])
})

t.test('a primary that is killed is left for its successor', async (t) => {
  const { url, primary, successorOf } = await startSentinel(t)
  const { redis, log } = await connectClient(t, { url })
  const killed = await primary()
  await killed.kill()
  await t.rejects(redis.set('key', 'value'), 'and does not wait')
  const successor = await successorOf(killed)
  await eventually('writes are taken', () => redis.set('key', 'value'), patience)
  t.equal(await successor.cli('GET', 'key'), 'value')
  t.same(log.messages(), ['Redis is away', 'Redis is back'])
})

t.test('a primary that froze and thaws after its deposition', async (t) => {
  const { url, primary, successorOf, neglect } = await startSentinel(t)
  const { redis } = await connectClient(t, { url })
  await redis.set('key', 'old')
  const deposed = await primary()
  deposed.freeze()
  t.teardown(() => deposed.thaw())
  await t.rejects(redis.get('key'), { message: 'Command timed out' })
  await successorOf(deposed)
  await eventually('writes are taken', () => redis.set('key', 'new'), patience)

  await neglect()
  deposed.thaw()
  await eventually('it has noticed that it is alone', async () => {
    return await deposed.cli('SET', 'probe', 'x').then(
      () => false,
      (error: Error) => error.message.startsWith('NOREPLICAS')
    )
  })
  t.equal(await replicationInfo(deposed, 'role'), 'master', 'it takes itself for the primary')
  await t.rejects(deposed.cli('SET', 'key', 'newer'), { message: /^NOREPLICAS/ })
  t.equal(await deposed.cli('GET', 'key'), 'old', 'and still answers reads')
  t.equal(await redis.get('key'), 'new', 'of which we see nothing')
})

t.test('a primary that is deposed under a connection is left at the first write', async (t) => {
  const { url, primary, failover, neglect } = await startSentinel(t)
  const { redis, log } = await connectClient(t, { url })
  await redis.set('key', 'old')
  const deposed = await primary()
  const successor = await failover()
  await neglect()
  await successor.cli('SET', 'key', 'new')
  await eventually('writes are taken', () => redis.set('other', 'value'), patience)
  t.equal(await successor.cli('GET', 'other'), 'value')
  t.equal(await redis.get('key'), 'new')
  t.equal(await replicationInfo(deposed, 'role'), 'master', 'nobody told it')
  t.same(log.lines, [])
})

t.test('being told to connect anew does not end a client that is just doing so', async (t) => {
  const { url, sentinels } = await startSentinel(t)
  for (const sentinel of sentinels) sentinel.freeze()
  const { redis, isReady } = await connectClient(t, { url, withinMs: 200 })
  t.notOk(isReady)
  reconnectRedis(redis)
  for (const sentinel of sentinels) sentinel.thaw()
  t.equal(await eventually('it is there', () => redis.ping(), patience), 'PONG')
  const before = await redis.client('ID')
  reconnectRedis(redis)
  await eventually('it is there anew', async () => (await redis.client('ID')) !== before, patience)
})

t.test('credentials go to whom they belong', async (t) => {
  const server = await startRedis(t, { args: ['--requirepass', 'p@ss'] })
  const sentinel = await startRedis(t, { kind: 'sentinel', args: ['--requirepass', 'q&a'] })
  const asks = (user: string, password: string) =>
    `redis+sentinel://${user}127.0.0.1:${sentinel.port}/main?db=3&sentinelPassword=${password}`

  t.test('the right ones', async (t) => {
    const { redis: admin } = await connectClient(t, {
      url: `redis://:q%26a@127.0.0.1:${sentinel.port}`
    })
    await admin.call('SENTINEL', 'MONITOR', 'main', '127.0.0.1', server.port, 1)
    const { redis, isReady } = await connectClient(t, { url: asks(':p%40ss@', 'q%26a') })
    t.ok(isReady)
    t.match(await redis.client('INFO'), /db=3/)
  })

  t.test('wrong ones are in no log', async (t) => {
    const wrong = await connectClient(t, { url: asks(':p%40ss@', 's3cret'), withinMs: 500 })
    t.notOk(wrong.isReady)
    t.match(wrong.log.lines, [{ fields: { reason: 'no sentinel: WRONGPASS' } }])
    const { log, isReady } = await connectClient(t, {
      url: asks(':s3cret@', 'q%26a'),
      withinMs: 500
    })
    t.notOk(isReady)
    t.match(log.lines, [{ fields: { reason: 'WRONGPASS' } }])
    t.notMatch(JSON.stringify([...wrong.log.lines, ...log.lines]), 's3cret')
  })
})
