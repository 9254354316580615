import { eq, sql } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import { deployment, nodes as nodeTable } from '../../src/database/schema.js'
import { forgetSilentNodes } from '../../src/revocation/nodes.js'
import { createDeployment, startNodes } from '../support/deployment.js'
import { eventually } from '../support/eventually.js'
import type { TestKeycard } from '../support/keycard.js'
import { events } from '../support/node-log.js'
import { startRedis, type TestRedis } from '../support/redis.js'
import { currentDataSet, nodeRows, revocationsOf } from '../support/revocation-rows.js'
import { me, verdict } from '../support/session-calls.js'

const withoutRedis = { env: { REVOCATION_MODE: 'database' } }

async function rowOf(node: TestKeycard, of = node) {
  return (await nodeRows(node)).find(({ id }) => id === of.app.revocation.nodeId)
}

/** Writes the row of a node that is not there, as old as `age` says. */
async function addSilentNode(at: TestKeycard, age: string, dataSet: string): Promise<string> {
  const id = uuidv7()
  const heartbeatAt = sql`now() - ${age}::interval`
  await at.app.database.write((db) =>
    db.insert(nodeTable).values({ id, mode: 'redis', dataSet, startedAt: heartbeatAt, heartbeatAt })
  )
  return id
}

function isDenied(redis: TestRedis, sessionId: string): Promise<boolean> {
  return redis.cli('EXISTS', `deny:session:{keycard}:${sessionId}`).then((count) => count === 1)
}

t.test('a node is written down while it decides, with a sign of life', async (t) => {
  const redis = await startRedis(t)
  const { start } = await createDeployment(t)
  const watcher = await start(withoutRedis)
  const node = await start({ redisUrl: redis.url, mode: 'redis' })
  const born = await rowOf(watcher, node)
  t.match(born, { mode: 'redis', dataSet: await currentDataSet(watcher) })
  t.match(await rowOf(watcher), { mode: 'database', dataSet: null })
  for (const each of [watcher, node]) {
    const { heartbeatAt } = (await rowOf(watcher, each)) ?? {}
    await eventually(
      'it gives a sign of life',
      async () => Number((await rowOf(watcher, each))?.heartbeatAt) > Number(heartbeatAt)
    )
  }
  await node.app.close()
  t.equal(await rowOf(watcher, node), undefined, 'a node that stops takes itself off the list')
})

t.test('a node whose row is gone is written down anew before it goes on with Redis', async (t) => {
  const redis = await startRedis(t)
  const [node] = await startNodes(t, 1, { redisUrl: redis.url, mode: 'redis' })
  const start = node.log.length
  await node.app.database.write((db) =>
    db.delete(nodeTable).where(eq(nodeTable.id, node.app.revocation.nodeId))
  )
  await eventually('it is back', () => events(node, start).includes('deny_list.usable'))
  t.match(await rowOf(node), { dataSet: await currentDataSet(node) })
})

t.test('a node that fell silent holds nobody up for longer than its lease', async (t) => {
  const redis = await startRedis(t)
  const [node] = await startNodes(t, 1, {
    redisUrl: redis.url,
    mode: 'redis',
    env: { REVOCATION_DEADLINE: '300ms', LEASE_MS: '100' }
  })
  const ada = await node.register()
  const logOut = () => node.post('/api/auth/logout', { token: ada.accessToken })
  const recent = await addSilentNode(node, '55 seconds', 'another data set')
  t.equal(verdict(await logOut()), 'DEPENDENCY_UNAVAILABLE', 'it may still read another data set')
  await node.app.database.write((db) => db.delete(nodeTable).where(eq(nodeTable.id, recent)))

  await addSilentNode(node, '70 seconds', 'another data set')
  t.equal((await logOut()).status, 204)
})

t.test('a node that reads what counts holds nobody up, silent or not', async (t) => {
  const redis = await startRedis(t)
  const [node] = await startNodes(t, 1, { redisUrl: redis.url, mode: 'redis' })
  const ada = await node.register()
  await addSilentNode(node, '30 seconds', String(await currentDataSet(node)))
  t.equal((await node.post('/api/auth/logout', { token: ada.accessToken })).status, 204)
})

t.test('a node is forgotten when it was silent for more than 65 minutes', async (t) => {
  const [node] = await startNodes(t, 1)
  const old = await addSilentNode(node, '66 minutes', 'x')
  const younger = await addSilentNode(node, '64 minutes', 'x')
  await node.app.database.write(forgetSilentNodes)
  const ids = (await nodeRows(node)).map(({ id }) => id)
  t.notOk(ids.includes(old))
  t.ok(ids.includes(younger))
  t.ok(ids.includes(node.app.revocation.nodeId))
})

t.test('four nodes start at once on an empty Redis and agree on one data set', async (t) => {
  const redis = await startRedis(t)
  const nodes = await startNodes(t, 4, { redisUrl: redis.url, mode: 'redis' })
  for (const node of nodes) {
    await eventually('it is usable', () => events(node).includes('deny_list.usable'))
  }
  const [node] = nodes
  const dataSet = await currentDataSet(node)
  t.equal(await redis.cli('GET', '{keycard}:dataset'), dataSet)
  t.same(
    (await nodeRows(node)).map((row) => row.dataSet),
    nodes.map(() => dataSet)
  )
  const ada = await node.register()
  t.equal((await node.post('/api/auth/logout', { token: ada.accessToken })).status, 204)
  for (const each of nodes) t.equal(verdict(await me(each, ada.accessToken)), 'TOKEN_REVOKED')
})

t.test('a revocation whose publisher was killed is published by another node', async (t) => {
  const [redis, unreachable] = [await startRedis(t), await startRedis(t)]
  const { start, spawn } = await createDeployment(t)
  const node = await start({ redisUrl: redis.url, mode: 'redis' })
  const ada = await node.register()
  await unreachable.kill()
  const publisher = await spawn({
    REDIS_URL: unreachable.url,
    REVOCATION_MODE: 'database',
    REVOCATION_DEADLINE: '10s'
  })
  const asking = publisher
    .post('/api/auth/logout', { token: ada.accessToken })
    .catch(() => undefined)
  await eventually('it is recorded', async () => (await revocationsOf(node, ada.sessionId))[0])
  publisher.signal('SIGKILL')
  await publisher.ended
  await asking
  await eventually('it is published', async () => {
    const [row] = await revocationsOf(node, ada.sessionId)
    return row?.publishedAt
  })
  t.ok(await isDenied(redis, ada.sessionId))
  t.equal(verdict(await me(node, ada.accessToken)), 'TOKEN_REVOKED')
})

t.test('a revocation that was only recorded is published by any node', async (t) => {
  const redis = await startRedis(t)
  const { start } = await createDeployment(t)
  const [writer, node] = [
    await start(withoutRedis),
    await start({ redisUrl: redis.url, mode: 'redis' })
  ]
  const ada = await writer.register()
  const { revocation, database } = writer.app
  await database.transaction((tx) =>
    revocation.record(
      tx,
      { kind: 'session', target: ada.sessionId, level: null },
      { reason: 'test', origin: null }
    )
  )
  await eventually('it is denied', () => isDenied(redis, ada.sessionId))
  t.equal(verdict(await me(node, ada.accessToken)), 'TOKEN_REVOKED')
})

t.test('a node without Redis succeeds once another one has published', async (t) => {
  const redis = await startRedis(t)
  const { start } = await createDeployment(t)
  const [writer, node] = [
    await start(withoutRedis),
    await start({ redisUrl: redis.url, mode: 'redis' })
  ]
  const ada = await writer.register()
  const answer = await writer.post('/api/auth/logout-all', { token: ada.accessToken })
  t.equal(answer.status, 200, answer.text)
  t.match(answer.body.receipt, { guarantee: 'applied', nodes: { length: 2 } })
  t.equal(await redis.cli('GET', `deny:user:{keycard}:${ada.id}`), '2')
  t.equal(verdict(await me(node, ada.accessToken)), 'TOKEN_REVOKED')
})

t.test('a node without Redis does not succeed where nobody can publish', async (t) => {
  const redis = await startRedis(t)
  const { start } = await createDeployment(t, {
    env: { REVOCATION_DEADLINE: '300ms', LEASE_MS: '100' }
  })
  const writer = await start(withoutRedis)
  await start({ redisUrl: redis.url, mode: 'redis' })
  const ada = await writer.register()
  await redis.kill()
  const answer = await writer.post('/api/auth/logout', { token: ada.accessToken })
  t.equal(verdict(answer), 'DEPENDENCY_UNAVAILABLE')
})

async function assertDrained(t: Test, node: TestKeycard, token: string): Promise<void> {
  t.equal(verdict(await me(node, token)), 'TOKEN_REVOKED')
  t.notOk(events(node).includes('deny_list.rebuilt'), 'it found a data set that was whole')
}

t.test('a node that joins publishes what was revoked without it before it decides', async (t) => {
  const redis = await startRedis(t)
  const { start } = await createDeployment(t)
  const writer = await start(withoutRedis)
  const first = await start({ redisUrl: redis.url, mode: 'redis' })
  const ada = await writer.register()
  await first.app.close()

  const answer = await writer.post('/api/auth/logout-all', { token: ada.accessToken })
  t.match(answer.body.receipt, { guarantee: 'database', nodes: { length: 1 } })
  t.match(await revocationsOf(writer, ada.id), [{ publishedAt: null }])
  const joining = await start({ redisUrl: redis.url, mode: 'redis' })
  await assertDrained(t, joining, ada.accessToken)
  t.equal(await redis.cli('GET', `deny:user:{keycard}:${ada.id}`), '2')
})

t.test('the data set of another deployment is not taken for its own', async (t) => {
  const redis = await startRedis(t)
  const cause = { reason: 'test', origin: null }
  const [earlier] = await startNodes(t, 1, { redisUrl: redis.url, mode: 'redis' })
  await earlier.app.revocation.revokeEveryone(cause)
  await earlier.app.close()
  t.equal(await redis.cli('GET', '{keycard}:generation'), '2')

  const [node] = await startNodes(t, 1, { redisUrl: redis.url, mode: 'redis' })
  t.ok(events(node).includes('deny_list.rebuilt'))
  const ada = await node.register()
  t.equal(verdict(await me(node, ada.accessToken)), 200, 'its generation is its own as well')
})

t.test(
  'the receipt says of a silent node that its lease is over, not that it applied',
  async (t) => {
    const redis = await startRedis(t)
    const { start } = await createDeployment(t)
    const node = await start({ redisUrl: redis.url, mode: 'redis' })
    const silent = await addSilentNode(node, '2 minutes', 'a data set that no longer counts')
    const ada = await node.register()
    const { body } = await node.post('/api/auth/logout-all', { token: ada.accessToken })
    t.equal(body.receipt?.guarantee, 'lease-expired')
    const times = new Map(body.receipt?.nodes.map(({ id, appliedAfterMs }) => [id, appliedAfterMs]))
    t.equal(times.get(silent), null)
    t.type(times.get(node.app.revocation.nodeId), 'number')
  }
)

t.test('a data set that Postgres has never heard of is replaced, after a while', async (t) => {
  const redis = await startRedis(t)
  const [node] = await startNodes(t, 1, { redisUrl: redis.url, mode: 'redis' })
  const ada = await node.register()
  const found = await redis.cli('GET', '{keycard}:dataset')
  const start = node.log.length
  // As when the database is set back to a copy of an earlier day.
  const dataSet = 'of an earlier day'
  await node.app.database.write((db) => db.update(deployment).set({ dataSet }))
  await eventually('it decides from Postgres', () =>
    node.log.slice(start).some((line) => line.includes('not the one that other nodes use'))
  )
  t.equal(verdict(await me(node, ada.accessToken)), 200)
  await eventually('it is usable', () => events(node, start).includes('deny_list.usable'), {
    withinMs: 20_000
  })
  t.not(await redis.cli('GET', '{keycard}:dataset'), found)
  t.equal(await redis.cli('GET', '{keycard}:dataset'), await currentDataSet(node))
})
