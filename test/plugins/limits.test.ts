import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { limitDefinitions, type LimitName, type RateLimits } from '../../src/config/rate-limits.js'
import limitsPlugin, { type LimitsOptions } from '../../src/plugins/limits.js'
import { startHttpApp } from '../support/http-app.js'
import { assertProblem, readAnswer } from '../support/problem-assertions.js'
import { startRedis, type TestRedis } from '../support/redis.js'

const names = Object.keys(limitDefinitions) as LimitName[]

/** Limits that no test reaches, except those given. */
function limitsOf(lowered: Partial<Record<LimitName, number>>): RateLimits {
  const entries = names.map((name) => [name, { max: lowered[name] ?? 1000, windowMs: 60_000 }])
  return Object.fromEntries(entries) as RateLimits
}

/** As the service connects: nothing waits, nothing is repeated. */
async function connectRedis(t: Test, { url }: TestRedis): Promise<Redis> {
  const redis = new Redis(url, {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => 20,
    lazyConnect: true
  })
  redis.on('error', () => undefined)
  t.teardown(() => redis.disconnect())
  await redis.connect()
  return redis
}

const startApp = (t: Test, options: LimitsOptions, config = {}) =>
  startHttpApp(t, {
    config,
    routes: async (app: FastifyInstance) => {
      await app.register(limitsPlugin, options)
      app.get('/open', async () => 'ok')
      app.get('/health/live', async () => 'ok')
      app.post('/login', { onRequest: app.limits.perIp('loginPerIp') }, async () => 'ok')
      app.post('/refresh', { onRequest: app.limits.perIp('refreshPerIp') }, async () => 'ok')
      app.post<{ Params: { who: string } }>('/account/:who', async (request) => {
        await app.limits.perAccount('loginPerAccount')(request, request.params.who)
        return 'ok'
      })
      app.post<{ Params: { who: string } }>('/password/:who', async (request) => {
        await app.limits.perAccount('passwordPerAccount')(request, request.params.who)
        return 'ok'
      })
      const failures = app.limits.failuresPerIp('clientFailuresPerIp')
      app.post<{ Params: { outcome: string } }>(
        '/attempt/:outcome',
        { config: { limitsRequestsItself: true } },
        async (request) => {
          await failures.check(request)
          if (request.params.outcome === 'bad') await failures.count(request)
          return 'ok'
        }
      )
      app.post('/hash', async (request) => {
        await app.limits.global('passwordsGlobal')(request)
        return 'ok'
      })
    }
  })

const post = (url: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: 'POST', headers })

const statusOf = async (response: Promise<Response>): Promise<number> => {
  const { status, body } = await response
  await body?.cancel()
  return status
}

t.test('whoever uses up a limit is told how long to wait', async (t) => {
  const { url } = await startApp(t, { limits: limitsOf({ loginPerIp: 2 }) })
  const first = await post(`${url}/login`)
  t.equal(first.headers.get('ratelimit-limit'), '2', 'the tightest limit is shown')
  t.equal(first.headers.get('ratelimit-remaining'), '1')
  t.match(first.headers.get('ratelimit-reset'), /^\d+$/)
  t.equal(await statusOf(post(`${url}/login`)), 200)
  const refused = await readAnswer(await post(`${url}/login`))
  assertProblem(t, refused, 'RATE_LIMITED')
  t.equal(refused.headers.get('ratelimit-remaining'), '0')
  t.equal(refused.headers.get('retry-after'), refused.headers.get('ratelimit-reset'))
  t.equal(await statusOf(post(`${url}/refresh`)), 200, 'each limit counts for itself')
})

t.test(
  'the limit of all requests covers what does not exist, but not the health checks',
  async (t) => {
    const { url } = await startApp(t, { limits: limitsOf({ requestsPerIp: 4 }) })
    t.equal(await statusOf(fetch(`${url}/open`)), 200)
    t.equal(await statusOf(fetch(`${url}/nothing`)), 404)
    t.equal(await statusOf(post(`${url}/open`)), 405)
    t.equal(await statusOf(post(`${url}/login`)), 200)
    for (const path of ['/open', '/nothing', '/login', '/health/dead', '/health/']) {
      assertProblem(t, await readAnswer(await fetch(`${url}${path}`)), 'RATE_LIMITED')
    }
    t.equal(await statusOf(fetch(`${url}/health/live`)), 200)
  }
)

t.test('addresses are counted by what one customer has', async (t) => {
  const { url } = await startApp(
    t,
    { limits: limitsOf({ loginPerIp: 1 }) },
    { trustProxy: ['127.0.0.1/32'] }
  )
  const from = (address: string) => statusOf(post(`${url}/login`, { 'x-forwarded-for': address }))
  t.equal(await from('192.0.2.1'), 200)
  t.equal(await from('192.0.2.1'), 429)
  t.equal(await from('192.0.2.2'), 200, 'an IPv4 address counts alone')
  t.equal(await from('2001:db8:0:1::1'), 200)
  t.equal(await from('2001:DB8:0:1:ffff::2'), 429, 'an IPv6 network of 64 bits counts together')
  t.equal(await from('2001:db8:0:2::1'), 200)
  t.equal(await from('::ffff:192.0.2.1'), 429, 'IPv4 in disguise is IPv4')
  t.equal(await from('6.6.6.6, 192.0.2.2'), 429, 'what the client wrote does not count')
  t.equal(await from('no address'), 200)
  t.equal(await from('another text'), 429, 'what is no address is the proxy itself')
})

t.test(
  'accounts are counted wherever the requests come from, and without their names',
  async (t) => {
    const server = await startRedis(t)
    const redis = await connectRedis(t, server)
    const { url } = await startApp(t, { limits: limitsOf({ loginPerAccount: 1 }), redis })
    t.equal(await statusOf(post(`${url}/account/ann@example.org`)), 200)
    t.equal(await statusOf(post(`${url}/account/ann@example.org`)), 429)
    t.equal(await statusOf(post(`${url}/account/bob@example.org`)), 200)
    t.equal(await statusOf(post(`${url}/password/ann@example.org`)), 200, 'each limit for itself')
    const keys = String(await server.cli('KEYS', '*'))
    t.match(keys, /^keycard:limit:/)
    t.notMatch(keys, /ann|example|undefined/)
  }
)

for (const withRedis of [true, false]) {
  t.test(`every limit has its own counters ${withRedis ? 'in Redis' : 'in memory'}`, async (t) => {
    const redis = withRedis ? await connectRedis(t, await startRedis(t)) : undefined
    const limits = limitsOf({
      loginPerIp: 3,
      refreshPerIp: 3,
      loginPerAccount: 3,
      passwordPerAccount: 3,
      passwordsGlobal: 3
    })
    const { url } = await startApp(t, { limits, redis })
    const paths = ['/login', '/refresh', '/account/x', '/password/x', '/hash']
    for (const expected of [200, 200, 200, 429]) {
      for (const path of paths) t.equal(await statusOf(post(`${url}${path}`)), expected, path)
    }
  })
}

t.test('nodes share their counters through Redis, also when they count at once', async (t) => {
  const server = await startRedis(t)
  const limits = limitsOf({ passwordsGlobal: 25 })
  // A machine that is busy must not be taken for a Redis that does not answer.
  const deadlineMs = 10_000
  const nodes = [
    await startApp(t, { limits, deadlineMs, redis: await connectRedis(t, server) }),
    await startApp(t, { limits, deadlineMs, redis: await connectRedis(t, server) })
  ]
  const attempts = Array.from({ length: 50 }, (_, index) =>
    statusOf(post(`${nodes[index % 2]?.url}/hash`))
  )
  const passed = (await Promise.all(attempts)).filter((status) => status === 200)
  t.equal(passed.length, 25)
})

t.test('without Redis each node limits by itself, and nothing fails', async (t) => {
  const outages: Record<string, (server: TestRedis) => unknown> = {
    frozen: (server) => server.freeze(),
    killed: (server) => server.kill(),
    'out of memory': (server) => server.cli('CONFIG', 'SET', 'maxmemory', 1),
    'without scripts': (server) => server.cli('ACL', 'SETUSER', 'default', '-@scripting'),
    'full of other types': async (server) => {
      await server.cli('FLUSHALL')
      await server.cli('LPUSH', 'keycard:limit:passwordsGlobal:all', 'x')
      await server.cli('LPUSH', 'keycard:limit:requestsPerIp:127.0.0.1', 'x')
    }
  }
  for (const [outage, begin] of Object.entries(outages)) {
    t.test(outage, async (t) => {
      const server = await startRedis(t)
      const redis = await connectRedis(t, server)
      const { url } = await startApp(t, { limits: limitsOf({ passwordsGlobal: 3 }), redis })
      t.equal(await statusOf(post(`${url}/hash`)), 200)
      await begin(server)
      t.teardown(() => server.thaw())
      const statuses: number[] = []
      for (let count = 0; count < 5; count += 1) statuses.push(await statusOf(post(`${url}/hash`)))
      t.same(statuses, [200, 200, 200, 429, 429])
    })
  }
})

t.test('counters are shared again once Redis is back', async (t) => {
  const server = await startRedis(t)
  const redis = await connectRedis(t, server)
  const { url } = await startApp(t, { limits: limitsOf({}), redis })
  await server.kill()
  t.equal(await statusOf(post(`${url}/hash`)), 200)
  const ready = new Promise((resolve) => redis.once('ready', resolve))
  await server.start()
  await ready
  let shared: unknown = null
  while (shared === null) {
    await statusOf(post(`${url}/hash`))
    shared = await server.cli('GET', 'keycard:limit:passwordsGlobal:all')
  }
  t.match(shared, /^\d+$/)
})

for (const withRedis of [true, false]) {
  t.test(`failures alone are counted ${withRedis ? 'in Redis' : 'in memory'}`, async (t) => {
    const redis = withRedis ? await connectRedis(t, await startRedis(t)) : undefined
    const limits = limitsOf({ requestsPerIp: 1, clientFailuresPerIp: 2 })
    const { url } = await startApp(t, { limits, redis })
    for (let count = 0; count < 10; count += 1) {
      t.equal(await statusOf(post(`${url}/attempt/good`)), 200, 'however many succeed')
    }
    t.equal(await statusOf(post(`${url}/attempt/bad`)), 200)
    t.equal(await statusOf(post(`${url}/attempt/good`)), 200)
    t.equal(await statusOf(post(`${url}/attempt/bad`)), 200)
    assertProblem(t, await readAnswer(await post(`${url}/attempt/bad`)), 'RATE_LIMITED')
    const refused = await post(`${url}/attempt/good`)
    t.equal(refused.status, 429, 'then nothing is attempted')
    t.match(refused.headers.get('retry-after'), /^[1-9]\d*$/)
    t.equal(await statusOf(fetch(`${url}/open`)), 200, 'none of it was a request of the others')
  })
}

t.test('limits can be switched off', async (t) => {
  const { url } = await startApp(t, { limits: 'off' })
  for (const path of ['/login', '/account/x', '/hash', '/attempt/bad']) {
    const answer = await post(`${url}${path}`)
    t.equal(answer.status, 200)
    t.equal(answer.headers.get('ratelimit-limit'), null)
  }
})
