import { execFile } from 'node:child_process'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import redisPlugin from '../../src/plugins/redis.js'
import type { RedisClient } from '../../src/redis/client.js'
import { eventually } from '../support/eventually.js'
import { startRedis } from '../support/redis.js'
import { createTestLog, type TestLog } from '../support/test-log.js'
import { certificateFile, startTlsProxy } from '../support/tls-proxy.js'

t.test('without a url there is no Redis', async (t) => {
  const app = Fastify()
  await app.register(redisPlugin, { target: undefined })
  t.equal(app.redis, undefined)
  await app.close()
})

t.test('Redis is ready when the start is done', async (t) => {
  const server = await startRedis(t)
  const { redis, log } = await start(t, server.url)
  t.equal(await redis.ping(), 'PONG')
  t.same(log.messages(), [])
})

t.test('a service that starts without Redis finds it later', async (t) => {
  const server = await startRedis(t)
  await server.stop()
  const { redis, log } = await start(t, server.url)
  await t.rejects(redis.ping())
  t.match(log.lines, [
    { level: 'warn', message: 'Redis is away', fields: { reason: 'ECONNREFUSED' } }
  ])
  await server.start()
  await log.heard('Redis is back')
  t.equal(await redis.ping(), 'PONG')
  t.same(log.messages(), ['Redis is away', 'Redis is back'])
})

t.test('a service starts beside a Redis that takes connections and says nothing', async (t) => {
  const server = await startRedis(t)
  server.freeze()
  t.teardown(() => server.thaw())
  const { redis, log } = await start(t, server.url)
  await t.rejects(redis.ping())
  t.same(log.messages(), ['Redis is away'])
  server.thaw()
  await log.heard('Redis is back')
  t.equal(await redis.ping(), 'PONG')
})

t.test('a Redis that is killed costs one line, and one when it is back', async (t) => {
  const server = await startRedis(t)
  const { redis, log } = await start(t, server.url)
  await server.kill()
  await log.heard('Redis is away')
  for (let attempt = 0; attempt < 3; attempt++) await happens(redis, 'reconnecting')
  await t.rejects(redis.ping(), 'at once, not when it is back')
  await server.start()
  await log.heard('Redis is back')
  t.equal(await redis.ping(), 'PONG')
  t.same(log.messages(), ['Redis is away', 'Redis is back'])
})

t.test('a Redis that freezes is let go, and found again when it thaws', async (t) => {
  const server = await startRedis(t)
  const { redis, log } = await start(t, server.url)
  server.freeze()
  t.teardown(() => server.thaw())
  const answers = await Promise.allSettled([redis.ping(), redis.get('a'), redis.incr('b')])
  for (const answer of answers) t.equal(answer.status, 'rejected')
  await log.heard('Redis is away')
  server.thaw()
  await log.heard('Redis is back')
  t.equal(await redis.ping(), 'PONG')
})

t.test('a command that had no answer is not sent again', async (t) => {
  const server = await startRedis(t)
  const { redis, log } = await start(t, server.url)
  server.freeze()
  t.teardown(() => server.thaw())
  await t.rejects(redis.incr('count'))
  await log.heard('Redis is away')
  server.thaw()
  await log.heard('Redis is back')
  t.ok(Number((await redis.get('count')) ?? 0) <= 1)
})

t.test('a connection that is cut and replaced at once is no outage', async (t) => {
  const server = await startRedis(t)
  const { redis, log } = await start(t, server.url)
  const readyAgain = happens(redis, 'ready')
  await server.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await readyAgain
  t.equal(await redis.ping(), 'PONG')
  t.same(log.messages(), [])
})

t.test('a connection that nobody answers any more is replaced', async (t) => {
  const server = await startRedis(t)
  const network = await startNetwork(t, server.port)
  const { redis, log } = await start(t, `redis://127.0.0.1:${network.port}`)
  const readyAgain = happens(redis, 'ready')
  network.loseWhatIsOpen()
  await t.rejects(redis.ping(), { message: 'Command timed out' })
  await readyAgain
  t.equal(await redis.ping(), 'PONG')
  t.same(log.messages(), [])
})

t.test('a primary that was demoted is left for whoever answers a new connection', async (t) => {
  const server = await startRedis(t)
  const { redis } = await start(t, server.url)
  const before = await redis.client('ID')
  await server.cli('REPLICAOF', '127.0.0.1', '1')
  const readyAgain = happens(redis, 'ready')
  await t.rejects(redis.set('a', 'b'), { message: /^READONLY/ })
  await readyAgain
  t.not(await redis.client('ID'), before)
  await t.rejects(redis.set('a', 'b'), { message: /^READONLY/ }, 'and once is enough')
  await server.cli('REPLICAOF', 'NO', 'ONE')
  t.equal(await redis.set('a', 'b'), 'OK')
})

t.test('a password that Redis refuses is not in the log', async (t) => {
  const server = await startRedis(t, { args: ['--requirepass', 'right'] })
  const { redis, log } = await start(t, `redis://default:s3cret@127.0.0.1:${server.port}`)
  await t.rejects(redis.ping())
  t.match(log.lines, [{ message: 'Redis is away', fields: { reason: 'WRONGPASS' } }])
  t.notMatch(JSON.stringify(log.lines), 's3cret')
})

t.test('closing leaves nothing open', async (t) => {
  t.test('with a server that is there', async (t) => {
    const server = await startRedis(t)
    const before = openSockets()
    const { app, redis } = await start(t, server.url)
    await app.close()
    t.equal(redis.status, 'end')
    t.equal(openSockets(), before)
  })

  t.test('with a server that is frozen', async (t) => {
    const server = await startRedis(t)
    const before = openSockets()
    const { app, redis } = await start(t, server.url)
    server.freeze()
    t.teardown(() => server.thaw())
    const command = t.rejects(redis.ping())
    await app.close()
    await command
    t.equal(openSockets(), before)
  })

  t.test('with a server that is away', async (t) => {
    const server = await startRedis(t)
    await server.stop()
    const { app, redis } = await start(t, server.url)
    await happens(redis, 'reconnecting')
    await app.close()
    await server.start()
    t.match(await server.cli('CLIENT', 'LIST'), /^id=\d+ [^\n]*\n$/, 'only the asking client')
  })
})

t.test('a Cluster and Sentinel are spoken to in TLS as well', async (t) => {
  t.test('every node of a Cluster', async (t) => {
    const args = (port: number) => [
      ...['--cluster-enabled', 'yes', '--cluster-port', String(port + 1)]
    ]
    const node = await startRedis(t, { args })
    const port = await startTlsProxy(t, node.port)
    await node.cli('CONFIG', 'SET', 'cluster-announce-ip', '127.0.0.1')
    await node.cli('CONFIG', 'SET', 'cluster-announce-port', port)
    await node.cli('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383)
    await eventually('it is up', async () =>
      String(await node.cli('CLUSTER', 'INFO')).includes('cluster_state:ok')
    )
    const url = `rediss://127.0.0.1:${port}`
    const { answer } = await inProcess(`${url},${url}`, trusting)
    t.equal(answer, 'PONG')
  })

  t.test('the sentinels and the primary', async (t) => {
    const server = await startRedis(t)
    const sentinel = await startRedis(t, { kind: 'sentinel' })
    const port = await startTlsProxy(t, server.port)
    await sentinel.cli('SENTINEL', 'MONITOR', 'main', '127.0.0.1', port, 1)
    const sentinelPort = await startTlsProxy(t, sentinel.port)
    const url = `rediss+sentinel://127.0.0.1:${sentinelPort}/main`
    t.same(await inProcess(url, trusting), { answer: 'PONG', log: [] })
    t.match(await inProcess(url, {}), {
      answer: 'no answer',
      log: [{ message: 'Redis is away' }]
    })
  })
})

t.test('rediss:// speaks TLS', async (t) => {
  const server = await startRedis(t)
  const port = await startTlsProxy(t, server.port)
  const url = `rediss://127.0.0.1:${port}`

  t.test('with a server that has a trusted certificate', async (t) => {
    t.same(await inProcess(url, trusting), {
      answer: 'PONG',
      log: []
    })
  })

  t.test('and with no other', async (t) => {
    t.match(await inProcess(url, {}), {
      answer: 'no answer',
      log: [{ message: 'Redis is away', fields: { reason: 'DEPTH_ZERO_SELF_SIGNED_CERT' } }]
    })
  })
})

interface Setup {
  app: FastifyInstance
  redis: RedisClient
  log: TestLog
}

async function start(t: Test, url: string): Promise<Setup> {
  const log = createTestLog()
  const app = Fastify({ logger: { stream: log } })
  await app.register(redisPlugin, { target: { kind: 'single', url } })
  t.teardown(() => app.close())
  const { redis } = app
  if (redis === undefined) throw new Error('The plugin made no client')
  return { app, redis, log }
}

const happens = (redis: RedisClient, event: string): Promise<void> =>
  new Promise((resolve) => {
    redis.once(event, () => resolve())
  })

/** Something between us and a server, which can forget its connections without telling anyone. */
async function startNetwork(
  t: Test,
  port: number
): Promise<{ port: number; loseWhatIsOpen: () => void }> {
  const open = new Set<Socket>()
  const network = createServer((client) => {
    const server = connect(port, '127.0.0.1')
    open.add(client.on('error', () => undefined))
    client.pipe(server).pipe(client)
  })
  await new Promise<void>((resolve) => {
    network.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => {
    for (const client of open) client.destroy()
    network.close()
  })
  return {
    port: (network.address() as AddressInfo).port,
    loseWhatIsOpen() {
      for (const client of open) client.unpipe().resume()
    }
  }
}

const script = fileURLToPath(new URL('../support/redis-plugin-process.ts', import.meta.url))

const trusting = { NODE_EXTRA_CA_CERTS: certificateFile }

/** The plugin in a process of its own, which decides at its start whom it trusts. */
async function inProcess(url: string, env: NodeJS.ProcessEnv): Promise<{ answer?: unknown }> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import=tsx', script, url], {
    env: { PATH: process.env['PATH'], ...env }
  })
  return JSON.parse(stdout) as { answer?: unknown }
}

const openSockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => /^TCP(Socket|Connect)Wrap$/.test(name)).length
