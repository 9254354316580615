import { readdir } from 'node:fs/promises'
import t from 'tap'
import { connect } from './connect.js'
import { ownPort } from './own-port.js'
import { createTestDatabase, startPostgres } from './postgres.js'
import { redisBinary } from './redis-binary.js'
import { startCluster } from './redis-cluster.js'
import { startSentinel } from './redis-sentinel.js'
import { startRedis } from './redis.js'
import { temporaryFolder } from './temporary-folder.js'

t.test('every test has a migrated database of its own for as long as it runs', async (t) => {
  let url = ''
  await t.test('its own', async (t) => {
    url = await createTestDatabase(t)
    const sql = connect(t, url)
    t.same(await sql`select generation from deployment`, [{ generation: 1 }])
    await sql`create table mine ()`
    const other = connect(t, await createTestDatabase(t))
    t.same(await other`select to_regclass('mine') as mine`, [{ mine: null }])
  })
  await t.rejects(connect(t, url)`select 1`, { code: '3D000' })
})

t.test('a Postgres of its own can be stopped, killed and frozen', async (t) => {
  const server = await startPostgres(t, { settings: { work_mem: '7MB' } })
  const sql = connect(t, server.url)
  t.same(await sql`show work_mem`, [{ work_mem: '7MB' }])
  await sql`update deployment set generation = 2`
  for (const end of [server.stop, server.kill]) {
    await end()
    await t.rejects(connect(t, server.url)`select 1`, { code: 'ECONNREFUSED' })
    await server.start()
    t.same(await connect(t, server.url)`select generation from deployment`, [{ generation: 2 }])
  }
  const connected = connect(t, server.url)
  await connected`select 1`
  server.freeze()
  let answered = false
  const answer = connected`select 'late' as answer`.then((rows) => {
    answered = true
    return rows
  })
  await t.rejects(connect(t, server.url, { connect_timeout: 1 })`select 1`, {
    code: 'CONNECT_TIMEOUT'
  })
  t.notOk(answered)
  server.thaw()
  t.same(await answer, [{ answer: 'late' }])
})

t.test('a Redis can be stopped, killed, frozen and emptied', async (t) => {
  const redis = await startRedis(t, { args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
  t.equal(await redis.cli('SET', 'key', 'value', 'PX', 60_000), 'OK')
  for (const end of [redis.stop, redis.kill]) {
    await end()
    await t.rejects(redis.cli('GET', 'key'))
    await redis.start()
    t.equal(await redis.cli('GET', 'key'), 'value')
  }
  redis.freeze()
  const answer = redis.cli('GET', 'key')
  redis.thaw()
  t.equal(await answer, 'value')
  await redis.kill()
  await redis.start({ emptied: true })
  t.equal(await redis.cli('DBSIZE'), 0)
  await t.rejects(redis.cli('NOSUCH'), { message: /unknown command/ })
})

t.test('a Redis keeps nothing unless it is told to', async (t) => {
  const redis = await startRedis(t)
  await redis.cli('SET', 'key', 'value')
  await redis.stop()
  t.same(await readdir(redis.dir), [])
  await redis.start({ args: ['--appendonly', 'yes'] })
  t.equal(await redis.cli('DBSIZE'), 0)
  t.same(await redis.cli('CONFIG', 'GET', 'appendonly'), ['appendonly', 'yes'])
})

t.test('sentinels replace a primary that froze, and one that is well', async (t) => {
  const { servers, primary, replica, failover, successorOf } = await startSentinel(t)
  const first = await primary()
  t.ok(servers.includes(await replica()))
  first.freeze()
  const second = await successorOf(first)
  t.equal(await primary(), second)
  first.thaw()
  t.not(await failover(), second)
})

t.test('a Cluster has three masters, and replicas that take over', async (t) => {
  const { nodes, masterOf, replicaOf, failover, successorOf } = await startCluster(t)
  const keys = Array.from({ length: 100 }, (_, index) => `${index}`)
  const masters = new Set(await Promise.all(keys.map(masterOf)))
  t.equal(masters.size, 3)
  t.equal(nodes.length, 6)
  const first = await masterOf('key')
  const replica = await replicaOf('key')
  t.equal(await failover('key'), replica)
  await replica.kill()
  t.equal(await successorOf(replica, 'key'), first)
})

t.test('a port is given out once, and so is the one behind it', async (t) => {
  // So many that chance would give some out twice.
  const ports = await Promise.all(Array.from({ length: 300 }, ownPort))
  t.equal(new Set(ports.flatMap((port) => [port, port + 1])).size, 600)
})

t.test('a Redis on a port that is taken is refused with its words', async (t) => {
  const { port } = await startRedis(t)
  await t.rejects(startRedis(t, { port }), { message: /Address already in use/ })
})

t.test('where there is no redis-server the three ways to one are told', async (t) => {
  await t.rejects(redisBinary(await temporaryFolder(t)), {
    message: /package of your system.*as root on Debian.*build it/
  })
})
