import t, { type Test } from 'tap'
import type { RedisClient } from '../../src/redis/client.js'
import { connectClient, connectFeed } from '../support/redis-client.js'
import { startCluster } from '../support/redis-cluster.js'
import { startSentinel } from '../support/redis-sentinel.js'
import { startRedis, type TestRedis } from '../support/redis.js'

const stream = 'stream'
/** Longer than any other command may take. */
const blockMs = 600

interface Deployment {
  readonly url: string
  /** Of the stream. */
  readonly server: TestRedis
}

const deployments: Record<string, (t: Test) => Promise<Deployment>> = {
  'one Redis': async (t) => {
    const server = await startRedis(t)
    return { url: server.url, server }
  },
  Sentinel: async (t) => {
    const { url, primary } = await startSentinel(t)
    return { url, server: await primary() }
  },
  Cluster: async (t) => {
    const { url, masterOf } = await startCluster(t)
    return { url, server: await masterOf(stream) }
  }
}

for (const [name, start] of Object.entries(deployments)) {
  t.test(`a feed waits for news from ${name}, and holds nobody else up`, async (t) => {
    const { url, server } = await start(t)
    const { redis } = await connectClient(t, { url })
    const { redis: feed } = await connectFeed(t, { url, commandTimeoutMs: 1000 })
    t.equal(await readNext(feed), null, 'nothing came')

    const news = readNext(feed)
    await redis.xadd(stream, '*', 'kind', 'news')
    t.match(await news, [[stream, [[/-/, ['kind', 'news']]]]])

    server.freeze()
    t.teardown(() => server.thaw())
    await t.rejects(readNext(feed))
  })
}

const readNext = (feed: RedisClient) => feed.xread('BLOCK', blockMs, 'STREAMS', stream, '$')
