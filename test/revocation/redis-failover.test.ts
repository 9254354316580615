import t from 'tap'
import {
  logOut,
  logOutEverywhere,
  newHolder,
  newHolders,
  tryLogOut
} from '../support/card-holders.js'
import { createDeployment, startNodes } from '../support/deployment.js'
import { startHammer } from '../support/hammer.js'
import { bookmark } from '../support/node-log.js'
import { startRedis } from '../support/redis.js'
import { follow, inStep, promote, startRedisPair } from '../support/redis-pair.js'
import { me, verdict } from '../support/session-calls.js'
import { startTcpProxy } from '../support/tcp-proxy.js'

t.test('the replica that takes over has missed the last revocations', async (t) => {
  const pair = await startRedisPair(t)
  const { primary, replica, proxy, link } = pair
  const nodes = await startNodes(t, 2, { redisUrl: pair.url, mode: 'redis' })
  const [node] = nodes
  const hammer = startHammer(t, nodes)
  const people = await newHolders(node, hammer, ['replicated', 'missed', 'everywhere', 'never'])
  await logOut(node, hammer, people.replicated)
  await inStep(pair)

  link.cut()
  await logOut(node, hammer, people.missed)
  await logOutEverywhere(node, hammer, people.everywhere)
  const log = bookmark(nodes)
  await primary.kill()
  await hammer.rounds(2)
  await promote(replica)
  t.equal(await replica.cli('EXISTS', `deny:session:{keycard}:${people.missed.sessionId}`), 0)
  proxy.retarget(replica.port)
  await log.heard('deny_list.usable')

  t.equal(await replica.cli('EXISTS', `deny:session:{keycard}:${people.missed.sessionId}`), 1)
  await hammer.rounds(2)
  await hammer.finish(t)
})

t.test('the primary becomes a replica of one that lacks an entry, connections stay', async (t) => {
  const pair = await startRedisPair(t)
  const { primary, replica: other } = pair
  const nodes = await startNodes(t, 2, { redisUrl: pair.url, mode: 'redis' })
  const [node] = nodes
  const hammer = startHammer(t, nodes)
  const people = await newHolders(node, hammer, ['missed', 'while a replica', 'never'])
  await inStep(pair)
  // It has a copy of everything by which the data set is recognised.
  await promote(other)
  await logOut(node, hammer, people.missed)

  await follow(primary, other)
  t.equal(await primary.cli('EXISTS', `deny:session:{keycard}:${people.missed.sessionId}`), 0)
  await hammer.rounds(2)
  const log = bookmark(nodes)
  const unconfirmed = await tryLogOut(node, hammer, people['while a replica'])
  t.equal(verdict(unconfirmed), 'DEPENDENCY_UNAVAILABLE', 'a replica takes no revocation')
  await hammer.rounds(2)

  await promote(primary)
  await log.heard('deny_list.usable')
  await logOut(node, hammer, people['while a replica'])
  await hammer.rounds(2)
  await hammer.finish(t)
})

t.test('an address leads to a replica that lags behind', async (t) => {
  const pair = await startRedisPair(t)
  const { start } = await createDeployment(t)
  const node = await start({ redisUrl: pair.primary.url, mode: 'redis' })
  const led = await start({ redisUrl: pair.url, mode: 'redis' })
  const hammer = startHammer(t, [node, led])
  const people = await newHolders(node, hammer, ['ada', 'never'])
  await inStep(pair)
  pair.link.cut()
  pair.proxy.cut()
  pair.proxy.retarget(pair.replica.port)
  await logOut(node, hammer, people.ada)
  t.equal(await pair.replica.cli('EXISTS', `deny:session:{keycard}:${people.ada.sessionId}`), 0)
  await hammer.rounds(3)
  await hammer.finish(t)
})

t.test('there is a second primary while a node still reads the first', async (t) => {
  const pair = await startRedisPair(t)
  const { start } = await createDeployment(t, { redisUrl: pair.url, mode: 'redis' })
  const left = await start()
  const ada = await left.register()
  const bob = await left.register()
  await inStep(pair)
  await promote(pair.replica)
  pair.proxy.retarget(pair.replica.port)

  const log = bookmark([left])
  const right = await start()
  const hammer = startHammer(t, [left, right])
  await logOut(right, hammer, { ...ada, card: hammer.present('ada', ada.accessToken) })
  await newHolder(right, hammer, 'never')
  await log.heard('deny_list.usable')
  await logOut(left, hammer, { ...bob, card: hammer.present('bob', bob.accessToken) })
  t.equal(
    await pair.replica.cli('EXISTS', `deny:session:{keycard}:${bob.sessionId}`),
    1,
    'all use one'
  )
  await hammer.rounds(2)
  await hammer.finish(t)
})

t.test('a frozen node wakes up with its connection to the first of two primaries', async (t) => {
  const pair = await startRedisPair(t)
  const { start, spawn } = await createDeployment(t, {
    redisUrl: pair.url,
    mode: 'redis',
    env: { REVOCATION_DEADLINE: '500ms', LEASE_MS: '100' }
  })
  const sleeper = await spawn()
  const first = await start()
  const ada = await first.register()
  t.equal(verdict(await me(sleeper, ada.accessToken)), 200)
  await inStep(pair)
  sleeper.signal('SIGSTOP')
  await promote(pair.replica)
  pair.proxy.retarget(pair.replica.port)

  const second = await start()
  const log = bookmark([first])
  const unconfirmed = await second.post('/api/auth/logout', { token: ada.accessToken })
  t.equal(verdict(unconfirmed), 'DEPENDENCY_UNAVAILABLE', 'nobody knows what the sleeper reads')
  await log.heard('deny_list.usable')
  const stillUnconfirmed = await first.post('/api/auth/logout', { token: ada.accessToken })
  t.equal(verdict(stillUnconfirmed), 'DEPENDENCY_UNAVAILABLE')

  sleeper.signal('SIGCONT')
  const hammer = startHammer(t, [sleeper, first, second])
  await logOut(second, hammer, { ...ada, card: hammer.present('ada', ada.accessToken) })
  await newHolder(second, hammer, 'never')
  await hammer.rounds(2)
  await hammer.finish(t)
})

t.test('a frozen primary thaws after its replica took over, under idle connections', async (t) => {
  const pair = await startRedisPair(t)
  const { start } = await createDeployment(t, { redisUrl: pair.url, mode: 'redis' })
  const idle = await start()
  const ada = await idle.register()
  await inStep(pair)
  pair.primary.freeze()
  await promote(pair.replica)
  pair.proxy.retarget(pair.replica.port)
  const other = await start()
  pair.primary.thaw()

  const hammer = startHammer(t, [idle, other])
  await logOut(other, hammer, { ...ada, card: hammer.present('ada', ada.accessToken) })
  await newHolder(other, hammer, 'never')
  await hammer.rounds(2)
  await hammer.finish(t)
})

t.test('nodes that are told of different servers decide alike', async (t) => {
  const [one, two] = await Promise.all([startRedis(t), startRedis(t)])
  const { start } = await createDeployment(t)
  const nodes = [
    await start({ redisUrl: one.url, mode: 'redis' }),
    await start({ redisUrl: two.url, mode: 'redis' })
  ] as const
  const hammer = startHammer(t, nodes)
  const people = await newHolders(nodes[0], hammer, ['ada', 'bob', 'never'])
  await logOut(nodes[0], hammer, people.ada)
  await logOut(nodes[1], hammer, people.bob)
  await hammer.rounds(2)
  await hammer.finish(t)
})

t.test('a node that has lost Redis holds nobody up', async (t) => {
  const redis = await startRedis(t)
  const proxy = await startTcpProxy(t, redis.port)
  const { start } = await createDeployment(t)
  const lost = await start({ redisUrl: `redis://127.0.0.1:${proxy.port}`, mode: 'redis' })
  const node = await start({ redisUrl: redis.url, mode: 'redis' })
  const hammer = startHammer(t, [lost, node])
  const people = await newHolders(node, hammer, ['ada', 'bob', 'never'])
  await logOut(node, hammer, people.ada)
  proxy.cut()
  const log = bookmark([node])
  await redis.cli('FLUSHALL')
  await log.heard('deny_list.usable')
  await logOut(node, hammer, people.bob)
  await hammer.rounds(2)
  await hammer.finish(t)
})
