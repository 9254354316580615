import t, { type Test } from 'tap'
import { forEachLimit } from '../../src/config/rate-limits.js'
import limitsPlugin from '../../src/plugins/limits.js'
import { eventually } from '../support/eventually.js'
import { startHttpApp } from '../support/http-app.js'
import { connectClient } from '../support/redis-client.js'
import { startCluster } from '../support/redis-cluster.js'
import { startSentinel } from '../support/redis-sentinel.js'
import type { TestRedis } from '../support/redis.js'

const counter = 'keycard:limit:passwordsGlobal:all'

interface Deployment {
  readonly url: string
  /** The server that counts. */
  readonly server: () => Promise<TestRedis>
  readonly successorOf: (killed: TestRedis) => Promise<TestRedis>
}

const deployments: Record<string, (t: Test) => Promise<Deployment>> = {
  Sentinel: async (t) => {
    const { url, primary, successorOf } = await startSentinel(t)
    return { url, server: primary, successorOf }
  },
  Cluster: async (t) => {
    const { url, masterOf, successorOf } = await startCluster(t)
    return {
      url,
      server: () => masterOf(counter),
      successorOf: (killed) => successorOf(killed, counter)
    }
  }
}

for (const [name, start] of Object.entries(deployments)) {
  t.test(`nodes share their counters over ${name}, before and after a failover`, async (t) => {
    const { url, server, successorOf } = await start(t)
    const nodes = [await startNode(t, url), await startNode(t, url)] as const
    for (const request of [...nodes, ...nodes]) t.equal(await request(), 200)
    const killed = await server()
    t.equal(await countAt(killed), 4)

    await killed.kill()
    for (const request of nodes) t.equal(await request(), 200, 'counted by the node alone')
    const successor = await successorOf(killed)
    for (const request of nodes) {
      const shares = async () => {
        const before = await countAt(successor)
        t.equal(await request(), 200)
        return (await countAt(successor)) > before
      }
      t.ok(await eventually('it counts there', shares, { withinMs: 20_000 }))
    }
  })
}

const countAt = async (server: TestRedis): Promise<number> =>
  Number(await server.cli('GET', counter))

/** @returns what counts one request at a node of its own → the status */
async function startNode(t: Test, url: string): Promise<() => Promise<number>> {
  const { redis } = await connectClient(t, { url })
  const limits = forEachLimit(() => ({ max: 100_000, windowMs: 3_600_000 }))
  const node = await startHttpApp(t, {
    routes: async (app) => {
      await app.register(limitsPlugin, { limits, redis })
      app.post('/hash', async (request) => {
        await app.limits.global('passwordsGlobal')(request)
        return 'ok'
      })
    }
  })
  return async () => {
    const { status, body } = await fetch(`${node.url}/hash`, { method: 'POST' })
    await body?.cancel()
    return status
  }
}
