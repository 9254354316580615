import t from 'tap'
import { uuidv7 } from 'uuidv7'
import type { AnsweredNode } from '../../support/client.js'
import { createDeployment } from '../../support/deployment.js'
import { eventually } from '../../support/eventually.js'
import { basic } from '../../support/oauth-calls.js'
import type { Person, TestKeycard } from '../../support/keycard.js'
import { issueClient, registerAdmin } from '../../support/operators.js'
import { startRedis } from '../../support/redis.js'
import { currentDataSet, nodeRows } from '../../support/revocation-rows.js'
import { logIn, tokensOf } from '../../support/session-calls.js'

const leaseMs = 500

/** The nodes as a node answers, by their ids. @throws where it answers none */
async function nodesOf(keycard: TestKeycard, { accessToken: token }: Pick<Person, 'accessToken'>) {
  const { body, text } = await keycard.get('/api/admin/nodes', { token })
  if (body.nodes === undefined) throw new Error(text)
  return new Map(body.nodes.map((node) => [node.id, node]))
}

const isHealthy = (node: AnsweredNode | undefined): boolean =>
  node !== undefined &&
  node.applied &&
  node.lagMs !== null &&
  node.leaseMsLeft !== null &&
  node.leaseMsLeft > 0

t.test('nodes that follow Postgres', async (t) => {
  const { start } = await createDeployment(t)
  const node = await start()
  const other = await start()
  const byRequest = await start({ mode: 'database' })
  const admin = await registerAdmin(node)
  await node.post('/api/auth/logout-all', { token: (await node.register()).accessToken })
  const [ownId, otherId, thirdId] = [node, other, byRequest].map(({ app }) => app.revocation.nodeId)
  const nodes = await eventually('all hold what was revoked', async () => {
    const found = await nodesOf(node, admin)
    return [...found.values()].every(({ applied }) => applied) && found
  })
  t.same([...nodes.keys()], [ownId, otherId, thirdId], 'the oldest first')
  for (const row of await nodeRows(node)) {
    t.match(nodes.get(row.id), { mode: row.mode, startedAt: row.startedAt.toISOString() })
  }
  const own = nodes.get(ownId ?? '')
  t.ok(isHealthy(own))
  t.ok((own?.lagMs ?? leaseMs) < leaseMs, 'it knows about itself')
  t.ok((own?.leaseMsLeft ?? 0) <= leaseMs)
  t.ok(isHealthy(nodes.get(otherId ?? '')))
  t.match(nodes.get(thirdId ?? ''), { lagMs: 0, applied: true, leaseMsLeft: null })

  const generation = async (token: string) =>
    (await node.get('/api/admin/nodes', { token })).body.generation
  t.equal(await generation(admin.accessToken), 1)
  await node.app.revocation.revokeEveryone({ reason: 'test', origin: null })
  t.equal(await generation(tokensOf(await logIn(node, admin)).accessToken), 2)
})

t.test('nodes that follow Redis, read it for each request, or are frozen', async (t) => {
  const redis = await startRedis(t)
  const { start, spawn } = await createDeployment(t, { redisUrl: redis.url })
  const node = await start()
  const reader = await start({ mode: 'redis' })
  const admin = await registerAdmin(node)
  const ownId = node.app.revocation.nodeId
  const readerId = reader.app.revocation.nodeId
  const frozen = await spawn()
  const frozenId = [...(await nodesOf(node, admin)).keys()].find(
    (id) => id !== ownId && id !== readerId
  )
  if (frozenId === undefined) throw new Error('The process is no node')
  t.teardown(() => frozen.signal('SIGCONT'))
  const look = async () => (await nodesOf(node, admin)).get(frozenId)

  await t.test('all is well', async (t) => {
    const nodes = await eventually('all keep up', async () => {
      const found = await nodesOf(node, admin)
      return [...found.values()].every(isHealthy) && found
    })
    t.match(nodes.get(frozenId), { mode: 'replica' })
    t.ok((nodes.get(frozenId)?.leaseMsLeft ?? Infinity) <= leaseMs)
    t.match(nodes.get(readerId), { mode: 'redis', lagMs: 0 })
  })

  await t.test('one is frozen, and then it is not', async (t) => {
    frozen.signal('SIGSTOP')
    const silent = await eventually('its lease is over', async () => {
      const seen = await look()
      return seen?.leaseMsLeft === 0 && seen
    })
    t.ok((silent.lagMs ?? 0) >= leaseMs)
    await node.post('/api/auth/logout-all', { token: (await node.register()).accessToken })
    t.match(await look(), { applied: false, leaseMsLeft: 0 })
    t.match((await nodesOf(node, admin)).get(ownId), { applied: true })
    frozen.signal('SIGCONT')
    await eventually('it keeps up again', async () => isHealthy(await look()))
  })

  await t.test(
    'one of another service that never came, and one that follows something else',
    async (t) => {
      const client = await issueClient(node, admin)
      const headers = { authorization: basic(client.credentials) }
      const declare = async (dataSet: string | null) => {
        const id = uuidv7()
        const body = { mode: 'replica', dataSet, leaseMs, epoch: 1 }
        await node.send('PUT', `/api/nodes/${id}`, { headers, body })
        return id
      }
      const [silent, astray] = [await declare(await currentDataSet(node)), await declare('another')]
      const nodes = await nodesOf(node, admin)
      t.match(nodes.get(silent), { lagMs: null, applied: false, leaseMsLeft: 0 })
      t.match(nodes.get(astray), { lagMs: null, applied: false, leaseMsLeft: null })
      for (const id of [silent, astray]) await node.delete(`/api/nodes/${id}`, { headers })
    }
  )

  await t.test('Redis is away, so that others are not known', async (t) => {
    frozen.signal('SIGSTOP')
    await redis.kill()
    t.match(await look(), { mode: 'replica', lagMs: null, leaseMsLeft: null })
    await eventually('this one asks Postgres', async () => {
      const own = (await nodesOf(node, admin)).get(ownId)
      return own?.mode === 'database' && own.lagMs === 0 && own.leaseMsLeft === null
    })
  })
})
