import t from 'tap'
import { logOut, newHolders } from '../support/card-holders.js'
import { startNodes } from '../support/deployment.js'
import { eventually } from '../support/eventually.js'
import { startHammer } from '../support/hammer.js'
import { bookmark } from '../support/node-log.js'
import { startPostgres } from '../support/postgres.js'
import { startRedis } from '../support/redis.js'
import { me, verdict } from '../support/session-calls.js'

t.test('nobody guesses where neither Redis nor Postgres answers', async (t) => {
  const redis = await startRedis(t)
  const postgres = await startPostgres(t)
  const nodes = await startNodes(t, 2, {
    redisUrl: redis.url,
    mode: 'redis',
    databaseUrl: postgres.url
  })
  const [node] = nodes
  const hammer = startHammer(t, nodes)
  const people = await newHolders(node, hammer, ['early', 'late', 'never'])
  await logOut(node, hammer, people.early)

  // Two that start at once get there one after the other, and not without Postgres.
  for (const { app } of nodes) {
    await eventually('it reads Redis', () => app.revocation.status().decidesFrom === 'redis')
  }
  postgres.freeze()
  t.equal(verdict(await me(node, people.early.accessToken)), 'TOKEN_REVOKED', 'Redis knows it')
  await hammer.rounds(2)
  redis.freeze()
  await hammer.rounds(2)
  for (const { accessToken } of [people.early, people.never]) {
    const answer = await me(node, accessToken)
    t.equal(verdict(answer), 'DEPENDENCY_UNAVAILABLE')
    t.equal(answer.status, 503)
    t.match(answer.headers.get('retry-after'), /^\d+$/)
  }
  const log = bookmark(nodes)
  postgres.thaw()
  await hammer.rounds(2)
  redis.thaw()
  await log.heard('deny_list.usable', { withinMs: 20_000 })
  await logOut(node, hammer, people.late)
  await hammer.rounds(2)
  await hammer.finish(t)
})

t.test('both are killed and come back, Redis empty', async (t) => {
  const redis = await startRedis(t)
  const postgres = await startPostgres(t)
  const nodes = await startNodes(t, 2, {
    redisUrl: redis.url,
    mode: 'redis',
    databaseUrl: postgres.url
  })
  const [node] = nodes
  const hammer = startHammer(t, nodes)
  const people = await newHolders(node, hammer, ['early', 'late', 'never'])
  await logOut(node, hammer, people.early)
  await Promise.all([redis.kill(), postgres.kill()])
  await hammer.rounds(2)
  const log = bookmark(nodes)
  await redis.start()
  await hammer.rounds(2)
  await postgres.start()
  await log.heard('deny_list.usable', { withinMs: 20_000 })
  await logOut(node, hammer, people.late)
  await hammer.rounds(2)
  await hammer.finish(t)
})

t.test('in mode database, nobody guesses while Postgres is away', async (t) => {
  const postgres = await startPostgres(t)
  const nodes = await startNodes(t, 2, { databaseUrl: postgres.url })
  const [node] = nodes
  const hammer = startHammer(t, nodes)
  const people = await newHolders(node, hammer, ['early', 'late', 'never'])
  await logOut(node, hammer, people.early)
  postgres.freeze()
  await hammer.rounds(2)
  postgres.thaw()
  await logOut(node, hammer, people.late)
  await postgres.kill()
  await hammer.rounds(2)
  t.equal(verdict(await me(node, people.never.accessToken)), 'DEPENDENCY_UNAVAILABLE')
  await postgres.start()
  await hammer.rounds(2)
  await hammer.finish(t)
})
