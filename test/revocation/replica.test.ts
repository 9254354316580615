import { setImmediate } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import { startNodes } from '../support/deployment.js'
import { eventually } from '../support/eventually.js'
import type { TestKeycard } from '../support/keycard.js'
import { startRedis, type TestRedis } from '../support/redis.js'
import { nodeRows } from '../support/revocation-rows.js'
import { listSessions, me, verdict } from '../support/session-calls.js'

interface Scene {
  readonly nodes: readonly [TestKeycard, ...TestKeycard[]]
  readonly redis: TestRedis | undefined
}

/** What a machine that stalls for a second must not change: the lease has tests of its own. */
const patience = { LEASE_MS: '4000', REVOCATION_DEADLINE: '6s' }

async function startScene(t: Test, withRedis: boolean, count = 3): Promise<Scene> {
  const redis = withRedis ? await startRedis(t) : undefined
  const shared = { env: patience, ...(redis && { redisUrl: redis.url }) }
  const nodes = await startNodes(t, count, shared)
  for (const node of nodes) await follows(node)
  return { nodes, redis }
}

async function follows(node: TestKeycard): Promise<void> {
  await eventually('it follows', () => decidesFrom(node) === 'replica')
}

function decidesFrom(node: TestKeycard): string {
  return node.app.revocation.status().decidesFrom
}

function decided(node: TestKeycard, source: 'replica' | 'database'): number {
  const { live, revoked } = node.app.revocation.decisions()[source]
  return live + revoked
}

/** How many commands Redis and how many transactions Postgres have carried out so far. */
async function callsSoFar({ nodes: [node], redis }: Scene): Promise<number> {
  const stats = redis === undefined ? '' : String(await redis.cli('INFO', 'stats'))
  const commands = Number(/total_commands_processed:(\d+)/.exec(stats)?.[1] ?? 0)
  const [row] = await node.app.database.read((db) =>
    db.execute<{ count: number }>(
      sql`select (xact_commit + xact_rollback)::int as count from pg_stat_database where datname = current_database()`
    )
  )
  return commands + Number(row?.count)
}

for (const withRedis of [true, false]) {
  const feed = withRedis ? 'the stream in Redis' : 'Postgres'

  t.test(`following ${feed}, a protected request makes no call`, async (t) => {
    const scene = await startScene(t, withRedis, 1)
    const [node] = scene.nodes
    const ada = await node.register()
    const claims = claimsOf(node, ada.accessToken)
    const before = await callsSoFar(scene)
    for (let count = 0; count < 20_000; count++) {
      const verdict = node.app.revocation.check(claims)
      if (!('kind' in verdict)) {
        t.fail('it was asked for elsewhere')
        await verdict.catch(() => undefined)
      }
      // A lease ends while the event loop is held up, as it must.
      if (count % 50 === 0) await setImmediate()
    }
    const calls = (await callsSoFar(scene)) - before
    t.ok(
      calls < 500,
      `${calls} calls while 20,000 requests were decided, those of the feed included`
    )
    t.equal(decided(node, 'replica'), 20_000)
    t.equal(decided(node, 'database'), 0)
  })

  t.test(`following ${feed}, the receipt says how it is known for each node`, async (t) => {
    const { nodes } = await startScene(t, withRedis)
    const [node, , last] = nodes
    const ada = await node.register()
    const { body } = await node.post('/api/auth/logout-all', { token: ada.accessToken })
    t.equal(body.receipt?.guarantee, 'applied')
    t.same(
      body.receipt?.nodes.map(({ id }) => id).sort(),
      nodes.map(({ app }) => app.revocation.nodeId).sort()
    )
    for (const each of body.receipt?.nodes ?? []) t.type(each.appliedAfterMs, 'number')
    for (const each of nodes) t.equal(verdict(await me(each, ada.accessToken)), 'TOKEN_REVOKED')
    await last?.app.close()
    const bob = await node.register()
    const later = await node.post('/api/auth/logout-all', { token: bob.accessToken })
    t.equal(later.body.receipt?.nodes.length, 2, 'a node that stopped is not waited for')
  })

  t.test(`following ${feed}, what others only recorded is applied all the same`, async (t) => {
    const { nodes } = await startScene(t, withRedis)
    const [node] = nodes
    const ada = await node.register()
    for (const each of nodes) t.equal(verdict(await listSessions(each, ada.accessToken)), 200)
    // As if whoever wrote this row had died right after its commit.
    await node.app.database.write((db) =>
      db.execute(sql`
        insert into revocations (id, kind, target, reason, created_at, live_until)
        values (${uuidv7()}, 'session', ${ada.sessionId}, 'test', now(), now() + interval '10 minutes')`)
    )
    for (const each of nodes) {
      await eventually(
        'it is refused',
        async () => verdict(await listSessions(each, ada.accessToken)) === 'TOKEN_REVOKED'
      )
      t.equal(decidesFrom(each), 'replica')
    }
  })

  t.test(`following ${feed}, a transaction that commits late is not missed`, async (t) => {
    const { nodes } = await startScene(t, withRedis, 2)
    const [node] = nodes
    const [early, late] = [await node.register(), await node.register()]
    const insert = (sessionId: string) => sql`
      insert into revocations (id, kind, target, reason, created_at, live_until)
      values (${uuidv7()}, 'session', ${sessionId}, 'test', now(), now() + interval '10 minutes')`
    const refused = (each: TestKeycard, token: string) =>
      eventually('it is refused', async () => verdict(await listSessions(each, token)) !== 200)
    // The one that took the lower number commits when the other one has been applied everywhere.
    await node.app.database.transaction(async (tx) => {
      await tx.execute(insert(late.sessionId))
      await node.app.database.write((db) => db.execute(insert(early.sessionId)))
      for (const each of nodes) await refused(each, early.accessToken)
      t.equal(verdict(await listSessions(node, late.accessToken)), 200)
    })
    for (const each of nodes) await refused(each, late.accessToken)
  })

  t.test(`following ${feed}, a node whose row is gone declares itself anew`, async (t) => {
    const { nodes } = await startScene(t, withRedis, 2)
    const [node, other] = nodes
    await node.app.database.write((db) =>
      db.execute(sql`delete from nodes where id = ${node.app.revocation.nodeId}`)
    )
    await eventually('it is back', async () =>
      (await nodeRows(node)).some(
        ({ id, mode }) => id === node.app.revocation.nodeId && mode === 'replica'
      )
    )
    await follows(node)
    const ada = await node.register()
    const { body } = await (other ?? node).post('/api/auth/logout-all', { token: ada.accessToken })
    t.equal(body.receipt?.nodes.length, 2)
    t.equal(verdict(await me(node, ada.accessToken)), 'TOKEN_REVOKED')
  })
}

function claimsOf(node: TestKeycard, token: string) {
  const verification = node.accessTokens.verify(token)
  if (verification.kind !== 'valid') throw new Error('The token is no good')
  return verification.claims
}
