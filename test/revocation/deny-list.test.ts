import { randomUUID } from 'node:crypto'
import t from 'tap'
import type { RevocationEvent } from '../../src/revocation/state.js'
import { connectDenyList, fill, nowMs } from '../support/deny-list.js'
import { eventually } from '../support/eventually.js'
import { startRedis } from '../support/redis.js'
import { follow, promote } from '../support/redis-pair.js'
import { startTcpProxy } from '../support/tcp-proxy.js'

const liveUntil = nowMs + 900_000
const claims = { jti: randomUUID(), sid: randomUUID(), sub: randomUUID(), ver: 1, gen: 1 }
const token: RevocationEvent = { kind: 'token', target: claims.jti, liveUntil }
const session: RevocationEvent = { kind: 'session', target: claims.sid, liveUntil }

t.test('a Redis that nobody has filled says nothing', async (t) => {
  const redis = await startRedis(t)
  const denyList = await connectDenyList(t, redis)
  t.same(await denyList.inspect(), { isPrimary: true, evicts: false, dataSet: undefined })
  t.equal(await denyList.read('any', [claims]), undefined)
  t.equal(await denyList.publish([token]), undefined, 'what is published counts nowhere')
})

t.test('a data set is read by its name alone', async (t) => {
  const redis = await startRedis(t)
  const denyList = await connectDenyList(t, redis)
  const dataSet = await fill(denyList, [token])
  t.ok(dataSet)
  t.equal((await denyList.inspect()).dataSet, dataSet)
  t.match(await denyList.publish([session]), { dataSet, place: /^\d+-\d+$/ })
  const [view] = (await denyList.read(dataSet ?? '', [claims])) ?? []
  t.equal(view?.isTokenDenied(claims.jti), true)
  t.equal(view?.isSessionDenied(claims.sid), true)
  t.equal(view?.minimumVersion(claims.sub), 0)
  t.equal(await denyList.read(`${dataSet}x`, [claims]), undefined)
})

t.test('what is published while a data set is filled belongs to it', async (t) => {
  const redis = await startRedis(t)
  const denyList = await connectDenyList(t, redis)
  const published: (string | undefined)[] = []
  const dataSet = await fill(denyList, [], {
    declare: async (name) => {
      published.push(name, (await denyList.publish([session]))?.dataSet)
    }
  })
  t.same(published, [dataSet, dataSet])
  const [view] = (await denyList.read(dataSet ?? '', [claims])) ?? []
  t.equal(view?.isSessionDenied(claims.sid), true)
})

t.test('nothing is read from a data set that is being filled', async (t) => {
  const redis = await startRedis(t)
  const denyList = await connectDenyList(t, redis)
  let read: unknown = 'nothing yet'
  await fill(denyList, [], {
    declare: async (name) => {
      read = await denyList.read(name, [claims])
    }
  })
  t.equal(read, undefined)
})

t.test('of two nodes that fill it, the second one is sent away', async (t) => {
  const redis = await startRedis(t)
  const [one, two] = [await connectDenyList(t, redis), await connectDenyList(t, redis)]
  let second: unknown = 'nothing yet'
  const dataSet = await fill(one, [], {
    declare: async () => {
      second = await fill(two, [])
    }
  })
  t.equal(second, undefined)
  t.ok(dataSet)
  t.equal(await fill(two, []), undefined, 'nor does it replace what it has not seen')
  t.ok(await fill(two, [], { replacing: dataSet }))
})

t.test('a fill fails, and nothing is whole, when meanwhile', async (t) => {
  const redis = await startRedis(t, { args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
  const denyList = await connectDenyList(t, redis)
  const accidents: [what: string, happen: () => Promise<unknown>][] = [
    ['Redis is flushed', () => redis.cli('FLUSHALL')],
    ['the claim expires', () => redis.cli('DEL', '{keycard}:rebuild')],
    [
      'another node claims it',
      () => redis.cli('SET', '{keycard}:rebuild', 'somebody else', 'PX', 60_000)
    ],
    [
      'Redis restarts, and remembers the claim',
      async () => {
        const ready = denyList.connectedAnew()
        await redis.start()
        await ready
        t.equal(await redis.cli('EXISTS', '{keycard}:rebuild'), 1)
      }
    ]
  ]
  for (const [what, happen] of accidents) {
    await redis.cli('FLUSHALL')
    const dataSet = await fill(denyList, [token], {
      declare: async () => {
        await happen()
      }
    })
    t.equal(dataSet, undefined, what)
    t.equal((await denyList.inspect()).dataSet, undefined, what)
  }
})

t.test('a fill fails when its entries went to another server in between', async (t) => {
  const [redis, other] = [await startRedis(t), await startRedis(t)]
  const proxy = await startTcpProxy(t, redis.port)
  const denyList = await connectDenyList(t, proxy)
  const { client } = denyList
  async function leadTo(port: number): Promise<void> {
    const ready = denyList.connectedAnew()
    proxy.cut()
    proxy.retarget(port)
    await ready
  }
  const keycardExtend = client.keycardExtend.bind(client)
  const keycardPublish = client.keycardPublish.bind(client)
  Object.assign(client, {
    async keycardExtend(...args: Parameters<typeof keycardExtend>) {
      const isExtended = await keycardExtend(...args)
      await leadTo(other.port)
      return isExtended
    },
    async keycardPublish(...args: Parameters<typeof keycardPublish>) {
      const publishedIn = await keycardPublish(...args)
      await leadTo(redis.port)
      return publishedIn
    }
  })
  t.equal(await fill(denyList, [token]), undefined)
  t.equal(await other.cli('EXISTS', `deny:jti:{keycard}:${claims.jti}`), 1)
  t.equal(await redis.cli('EXISTS', '{keycard}:dataset'), 0)
})

t.test('a data set is whole no more', async (t) => {
  await t.test('after a restart, though it is all there', async (t) => {
    const redis = await startRedis(t, { args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
    const denyList = await connectDenyList(t, redis)
    const dataSet = (await fill(denyList, [token])) ?? ''
    const ready = denyList.connectedAnew()
    await redis.start()
    await ready
    t.equal(await redis.cli('GET', '{keycard}:dataset'), dataSet)
    t.equal(await denyList.read(dataSet, [claims]), undefined)
    t.equal((await denyList.inspect()).dataSet, undefined)
  })

  await t.test('on a replica, and on one that was promoted', async (t) => {
    const args = ['--repl-diskless-sync-delay', '0']
    const [redis, replica] = [await startRedis(t, { args }), await startRedis(t)]
    await follow(replica, redis)
    const dataSet = (await fill(await connectDenyList(t, redis), [token])) ?? ''
    await eventually(
      'the replica has it all',
      async () => (await replica.cli('GET', '{keycard}:dataset')) === dataSet
    )
    const denyList = await connectDenyList(t, replica)
    t.equal(await denyList.read(dataSet, [claims]), undefined)
    t.equal((await denyList.inspect()).isPrimary, false)
    await t.rejects(denyList.publish([session]), /READONLY/)
    await t.rejects(fill(await connectDenyList(t, replica), []), /READONLY/)
    await promote(replica)
    const promoted = await connectDenyList(t, replica)
    t.equal(await promoted.read(dataSet, [claims]), undefined)
    t.same(await promoted.inspect(), { isPrimary: true, evicts: false, dataSet: undefined })
  })

  await t.test('once a key was evicted', async (t) => {
    const redis = await startRedis(t)
    const denyList = await connectDenyList(t, redis)
    const dataSet = (await fill(denyList, [token])) ?? ''
    await redis.cli('SET', 'of somebody else', 'x', 'PX', 60_000)
    await redis.cli('CONFIG', 'SET', 'maxmemory-policy', 'volatile-ttl', 'maxmemory', 1)
    await redis.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction', 'maxmemory', 0)
    t.match(await redis.cli('INFO', 'stats'), /evicted_keys:[1-9]/)
    t.equal(await redis.cli('GET', '{keycard}:dataset'), dataSet)
    t.equal(await denyList.read(dataSet, [claims]), undefined)
  })
})

t.test('a generation that Postgres does not know ends with its data set', async (t) => {
  const redis = await startRedis(t)
  const denyList = await connectDenyList(t, redis)
  await denyList.publish([{ kind: 'everyone', level: 99 }])
  const dataSet = (await fill(denyList, [{ kind: 'everyone', level: 1 }])) ?? ''
  const [view] = (await denyList.read(dataSet, [claims])) ?? []
  t.equal(view?.generation, 1)
})

t.test('what is written where a level belongs covers everything', async (t) => {
  const redis = await startRedis(t)
  const denyList = await connectDenyList(t, redis)
  const dataSet = (await fill(denyList, [])) ?? ''
  await redis.cli('SET', `deny:user:{keycard}:${claims.sub}`, 'x')
  const [view] = (await denyList.read(dataSet, [claims])) ?? []
  t.equal(view?.minimumVersion(claims.sub), Number.POSITIVE_INFINITY)
})

t.test('many entries are filled page by page', async (t) => {
  const redis = await startRedis(t)
  const denyList = await connectDenyList(t, redis)
  const targets = Array.from({ length: 1_200 }, () => randomUUID())
  const events = targets.map((target): RevocationEvent => ({ kind: 'token', target, liveUntil }))
  const load = async function* () {
    yield [{ kind: 'everyone', level: 1 } as const]
    for (const start of [0, 500, 1_000]) yield events.slice(start, start + 500)
  }
  const dataSet = (await fill(denyList, [], { load })) ?? ''
  const views = await denyList.read(
    dataSet,
    targets.slice(0, 256).map((jti) => ({ ...claims, jti }))
  )
  t.equal(
    views?.every((view) => view.isTokenDenied('')),
    true
  )
  t.equal(await redis.cli('DBSIZE'), 1_200 + 2)
})
