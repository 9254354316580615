import t, { type Test } from 'tap'
import { nameKey } from '../../src/revocation/deny-list-keys.js'
import { startNodes } from '../support/deployment.js'
import { eventually } from '../support/eventually.js'
import { startHammer } from '../support/hammer.js'
import type { TestKeycard } from '../support/keycard.js'
import { startCluster } from '../support/redis-cluster.js'
import { startSentinel } from '../support/redis-sentinel.js'
import type { TestRedis } from '../support/redis.js'

/** Redis as it can fail over. */
interface Topology {
  readonly url: string
  /** Who holds the deny-list. */
  readonly primary: () => Promise<TestRedis>
  /** Done when another one has taken over from it. */
  readonly successorOf: (deposed: TestRedis) => Promise<unknown>
}

const topologies: Record<string, (t: Test) => Promise<Topology>> = {
  Sentinel: startSentinel,
  Cluster: async (t) => {
    const { url, masterOf, successorOf } = await startCluster(t)
    return {
      url,
      primary: () => masterOf(nameKey),
      successorOf: (deposed) => successorOf(deposed, nameKey)
    }
  }
}

const patience = { withinMs: 30_000 }

async function follow(nodes: readonly TestKeycard[]): Promise<void> {
  for (const { app } of nodes) {
    await eventually(
      'it follows',
      () => app.revocation.status().decidesFrom === 'replica',
      patience
    )
  }
}

for (const [name, start] of Object.entries(topologies)) {
  t.test(`over ${name}, what is revoked stays so through a failover and its end`, async (t) => {
    const { url, primary, successorOf } = await start(t)
    const nodes = await startNodes(t, 2, { redisUrl: url })
    const [node, other = node] = nodes
    await follow(nodes)
    const hammer = startHammer(t, nodes)
    const alive = await node.register()
    hammer.present('alive', alive.accessToken)

    async function revokeOne(label: string): Promise<void> {
      const person = await node.register()
      const card = hammer.present(label, person.accessToken)
      await hammer.rounds(1)
      // Where it is not confirmed in time, the same call waits again.
      await eventually(
        `${label} is revoked`,
        async () => {
          const logOut = () => other.post('/api/auth/logout', { token: person.accessToken })
          return (await hammer.revoke([card], logOut)).status === 204
        },
        patience
      )
    }

    await revokeOne('before')
    const deposed = await primary()
    deposed.freeze()
    t.teardown(() => deposed.thaw())
    await revokeOne('while nobody is the primary')
    await successorOf(deposed)
    await revokeOne('as another one takes over')
    await follow(nodes)
    await revokeOne('after the failover')
    // It still answers reads, and takes itself for what it was until somebody tells it.
    deposed.thaw()
    await revokeOne('with the deposed one back')
    await hammer.rounds(20)
    await follow(nodes)
    await hammer.finish(t)
  })
}
