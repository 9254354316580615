import { hostname, userInfo } from 'node:os'
import t, { type Test } from 'tap'
import type { CliEnd } from '../support/cli.js'
import { createOperatedDeployment } from '../support/cli-deployment.js'
import type { TestKeycard } from '../support/keycard.js'
import { startRedis } from '../support/redis.js'
import { assertDead, logIn, me, tokensOf, verdict } from '../support/session-calls.js'

t.setTimeout(300_000)

const because = ['--reason', 'a laptop was stolen', '--json'] as const

function assertRevoked(t: Test, end: CliEnd, nodes: readonly TestKeycard[], how: string): void {
  t.equal(end.code, 0, end.stderr)
  const proofs = end.json.receipt?.nodes.map((node) => `${node.id} ${node.how}`).sort()
  t.same(proofs, nodes.map(({ app }) => `${app.revocation.nodeId} ${how}`).sort())
}

/** A token says itself what it is called. */
function jtiOf(token: string): string {
  const text = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  return /"jti":"([^"]+)"/.exec(text)?.[1] ?? ''
}

t.test('with the API up', async (t) => {
  const redis = await startRedis(t)
  const { start, cli } = await createOperatedDeployment(t, { redisUrl: redis.url })
  const nodes = await Promise.all([start(), start()])
  const [node] = nodes
  const [ada, bob, cleo, dora] = await Promise.all([
    node.register(),
    node.register(),
    node.register(),
    node.register()
  ])

  await t.test('a session dies on every node, and the receipt names each', async (t) => {
    const second = tokensOf(await logIn(node, ada))
    const listed = await cli.run(['sessions', 'list', ada.email, '--json'])
    t.match(listed.json, { userId: ada.id, sessions: { length: 2 } })
    const end = await cli.run(['sessions', 'revoke', ada.sessionId, ...because])
    assertRevoked(t, end, nodes, 'applied')
    for (const each of nodes) await assertDead(t, each, ada)
    t.equal(verdict(await me(node, second.accessToken)), 200, 'the other session lives')
    const again = await cli.run(['revoke', 'session', ada.sessionId, ...because])
    t.equal(again.json.receipt?.revocationId, end.json.receipt?.revocationId, 'the same once more')
  })

  await t.test('a token dies, and its session lives', async (t) => {
    const end = await cli.run(['revoke', 'token', jtiOf(cleo.accessToken), ...because])
    assertRevoked(t, end, nodes, 'applied')
    t.equal(verdict(await me(nodes[1], cleo.accessToken)), 'TOKEN_REVOKED')
    const listed = await cli.run(['sessions', 'list', cleo.id, '--json'])
    t.match(listed.json, { sessions: { length: 1 } })
  })

  await t.test('a user is counted, then refused without a confirmation, then out', async (t) => {
    const [dry, unconfirmed, unreasoned] = await Promise.all([
      cli.run(['revoke', 'user', bob.email, '--dry-run', '--json']),
      cli.run(['revoke', 'user', bob.email, ...because]),
      cli.run(['revoke', 'user', bob.email, '--yes', '--json'])
    ])
    t.match(dry, { code: 0, json: { dryRun: true, hits: { sessions: 1 } } })
    t.match(unconfirmed, { code: 2, json: { error: { exit: 2, message: /add --yes/ } } })
    t.match(unreasoned, { code: 2, json: { error: { exit: 2, message: /add --reason/ } } })
    t.equal(verdict(await me(node, bob.accessToken)), 200, 'nothing has happened so far')

    assertRevoked(
      t,
      await cli.run(['revoke', 'user', bob.id, '--yes', ...because]),
      nodes,
      'applied'
    )
    for (const each of nodes) await assertDead(t, each, bob)
  })

  await t.test('the audit knows which operator it was, and why', async (t) => {
    const { json } = await cli.run(['audit', 'search', '--subject', bob.email, '--json'])
    const actor = { kind: 'operator', id: `${userInfo().username}@${hostname()}` }
    const revoked = json.events?.find(({ action }) => action === 'user.revoked')
    t.match(revoked, { actor, ip: null, reason: 'a laptop was stolen' })
  })

  await t.test('two operators log everybody out at once', async (t) => {
    const dry = await cli.run(['revoke', 'everyone', '--dry-run', '--json'])
    t.match(dry.json, { hits: { sessions: 3, accounts: 3 } })
    const ends = await Promise.all([
      cli.run(['revoke', 'everyone', '--yes', ...because]),
      cli.run(['revoke', 'everyone', '--yes', ...because])
    ])
    for (const end of ends) assertRevoked(t, end, nodes, 'applied')
    for (const each of nodes) await assertDead(t, each, dora)
    const back = tokensOf(await logIn(node, dora))
    for (const each of nodes) t.equal(verdict(await me(each, back.accessToken)), 200)
    const status = await cli.run(['status', '--json'])
    t.match(status.json, {
      generation: 3,
      nodes: { length: 2 },
      redis: { state: 'up', isCurrent: true },
      unpublished: 0,
      migrations: { pending: 0 }
    })
  })

  await t.test('people get tables, without colours in a pipe', async (t) => {
    const [revoked, status, incidents] = await Promise.all([
      cli.run(['revoke', 'user', cleo.id, '--yes', '--reason', 'x']),
      cli.run(['status']),
      cli.run(['incidents', 'list'])
    ])
    t.match(revoked.stdout, /true on every node\..*HOW IT IS KNOWN.*has applied it/s)
    t.match(status.stdout, /^NODE +MODE +LEASE .*\n.* replica +500 ms/m)
    t.match(incidents.stdout, /finished +everyone +3\/3/)
    // eslint-disable-next-line no-control-regex
    t.notMatch(revoked.stdout + status.stdout + incidents.stdout, /\u001b/)
  })
})

t.test('with the API down', async (t) => {
  const redis = await startRedis(t)
  const { start, cli } = await createOperatedDeployment(t, { redisUrl: redis.url })
  const node = await start()
  const [ada, bob] = [await node.register(), await node.register()]
  await node.app.close()
  assertRevoked(t, await cli.run(['revoke', 'user', ada.email, '--yes', ...because]), [], '')

  await redis.kill()
  const end = await cli.run(['revoke', 'session', bob.sessionId, ...because])
  assertRevoked(t, end, [], '')
  t.match(end.stderr, /Redis does not answer/)

  const back = await start()
  await assertDead(t, back, ada)
  await assertDead(t, back, bob)
})

t.test('with Redis down', async (t) => {
  const redis = await startRedis(t)
  const { start, cli } = await createOperatedDeployment(t, { redisUrl: redis.url })
  const nodes = await Promise.all([start(), start()])
  const [ada, bob] = [await nodes[0].register(), await nodes[1].register()]
  await redis.kill()
  const end = await cli.run(['revoke', 'user', ada.email, '--yes', '--wait', ...because])
  t.equal(end.code, 0, end.stderr)
  t.equal(end.json.receipt?.nodes.length, 2)
  for (const each of nodes) await assertDead(t, each, ada)
  t.equal(verdict(await me(nodes[0], bob.accessToken)), 200)
  t.match((await cli.run(['status', '--json'])).json, { redis: { state: 'away' }, unpublished: 1 })
})

t.test('without a Redis', async (t) => {
  const { start, cli } = await createOperatedDeployment(t)
  const nodes = await Promise.all([start(), start()])
  const ada = await nodes[0].register()
  const end = await cli.run(['revoke', 'everyone', '--yes', ...because])
  t.equal(end.code, 0, end.stderr)
  t.equal(end.json.receipt?.nodes.length, 2)
  for (const each of nodes) await assertDead(t, each, ada)
})
