import t, { type Test } from 'tap'
import { createDeployment } from '../support/deployment.js'
import { eventually } from '../support/eventually.js'
import type { TestKeycard } from '../support/keycard.js'
import { startRedis } from '../support/redis.js'
import type { RunningService } from '../support/service-process.js'
import { listSessions, verdict } from '../support/session-calls.js'

/** A node in this process, and one of its own to be frozen. */
async function startPair(t: Test, withRedis: boolean): Promise<Pair> {
  const redis = withRedis ? await startRedis(t) : undefined
  const shared = { ...(redis && { redisUrl: redis.url }) }
  const { start, spawn } = await createDeployment(t, shared)
  const node = await start()
  const frozen = await spawn()
  await eventually('it follows', () => frozen.stdout().includes('replica.following'))
  return { node, frozen }
}

interface Pair {
  readonly node: TestKeycard
  readonly frozen: RunningService
}

/** Stops it while it decides from memory: a machine that was busy may just have cost it its lease. */
async function freeze({ node, frozen }: Pair): Promise<void> {
  const isFollower = async () => {
    const { nodes } = await node.app.revocation.readRoster()
    return nodes.some(({ id, mode }) => id !== node.app.revocation.nodeId && mode === 'replica')
  }
  for (;;) {
    await eventually('it follows', isFollower)
    frozen.signal('SIGSTOP')
    if (await isFollower()) return
    thaw(frozen)
  }
}

function thaw(service: RunningService): void {
  service.signal('SIGCONT')
}

for (const withRedis of [true, false]) {
  const feed = withRedis ? 'the stream in Redis' : 'Postgres'

  t.test(
    `following ${feed}, a frozen node delays an answer by its lease and serves nothing on it`,
    async (t) => {
      const pair = await startPair(t, withRedis)
      const { node, frozen } = pair
      for (let round = 0; round < 3; round++) {
        const ada = await node.register()
        t.equal(verdict(await listSessions(frozen, ada.accessToken)), 200)
        await freeze(pair)
        const { status, body } = await node.post('/api/auth/logout-all', { token: ada.accessToken })
        t.equal(status, 200)
        t.equal(body.receipt?.guarantee, 'lease-expired')
        const silent = body.receipt?.nodes.filter(({ appliedAfterMs }) => appliedAfterMs === null)
        t.equal(silent?.length, 1)
        // Sent while nobody reads it: the node finds them when it wakes up, before its feed does.
        const visits = Array.from({ length: 20 }, () => listSessions(frozen, ada.accessToken))
        thaw(frozen)
        const verdicts = (await Promise.all(visits)).map(verdict)
        t.same(new Set(verdicts), new Set(['TOKEN_REVOKED']))
        await eventually('it follows again', async () => {
          const bob = await node.register()
          const answer = await node.post('/api/auth/logout-all', { token: bob.accessToken })
          const nodes = answer.body.receipt?.nodes ?? []
          return nodes.length === 2 && nodes.every(({ appliedAfterMs }) => appliedAfterMs !== null)
        })
      }
    }
  )

  t.test(`following ${feed}, a killed node delays answers by a lease at most`, async (t) => {
    const pair = await startPair(t, withRedis)
    const { node, frozen } = pair
    await freeze(pair)
    frozen.signal('SIGKILL')
    await frozen.ended
    const ada = await node.register()
    const { status, body } = await node.post('/api/auth/logout-all', { token: ada.accessToken })
    t.equal(status, 200)
    t.equal(body.receipt?.guarantee, 'lease-expired')
  })
}
