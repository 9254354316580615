import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import { createRedisFeed } from '../../src/revocation/redis-feed.js'
import { createStream } from '../../src/revocation/stream.js'
import { connectDenyList, fill, nowMs } from '../support/deny-list.js'
import { eventually } from '../support/eventually.js'
import { startRedis } from '../support/redis.js'

const nodeId = uuidv7()

function newSessions(count: number) {
  return Array.from({ length: count }, () => ({
    kind: 'session' as const,
    target: uuidv7(),
    liveUntil: nowMs + 900_000
  }))
}

async function startFeed(t: Test) {
  const redis = await startRedis(t)
  const denyList = await connectDenyList(t, redis)
  const reader = await connectDenyList(t, redis)
  const dataSet = (await fill(denyList, [])) ?? ''
  const feed = createRedisFeed({
    nodeId,
    stream: createStream(reader.client),
    findDataSet: async () => ({ kind: 'whole', dataSet }),
    leaseMs: 500
  })
  return { redis, denyList, dataSet, feed }
}

t.test('a read that stopped at its limit does not say that it left nothing behind', async (t) => {
  const { denyList, dataSet, feed } = await startFeed(t)
  const subscription = await feed.follow(dataSet)
  const events = newSessions(2_500)
  await denyList.publish(events)
  const readings = [
    await subscription.read(undefined),
    await subscription.read(undefined),
    await subscription.read(undefined)
  ]
  t.same(
    readings.map(({ isDrained }) => isDrained),
    [false, false, true]
  )
  t.same(
    readings.flatMap((reading) => reading.events),
    events
  )
})

t.test('what was read is confirmed by the next read, and not before', async (t) => {
  const { denyList, dataSet, feed } = await startFeed(t)
  const subscription = await feed.follow(dataSet)
  const place = async () => (await denyList.followers()).byNode.get(nodeId)?.place
  await subscription.read(undefined)
  const before = await place()
  const published = await denyList.publish(newSessions(1))
  t.equal((await subscription.read(undefined)).events.length, 1)
  t.equal(await place(), before, 'it was returned, which is not to say that it was applied')
  await subscription.read(undefined)
  t.equal(await place(), published?.place)
})

t.test('waiting ends when something comes', async (t) => {
  const { denyList, dataSet, feed } = await startFeed(t)
  const subscription = await feed.follow(dataSet)
  await subscription.read(undefined)
  const events = newSessions(1)
  let arrived: readonly unknown[] = []
  const waiting = eventually('it arrives', async () => {
    arrived = await subscription.arrival()
    return arrived.length > 0
  })
  await denyList.publish(events)
  await waiting
  t.same(arrived, events)
})

t.test('what is followed is lost with its data set', async (t) => {
  const { redis, denyList, dataSet, feed } = await startFeed(t)
  const subscription = await feed.follow(dataSet)
  await subscription.read(undefined)
  await redis.cli('FLUSHALL')
  await t.rejects(subscription.read(undefined), { name: 'FeedLost' })
  const other = await fill(denyList, [])
  t.not(other, dataSet)
  await t.rejects(subscription.read(undefined), { name: 'FeedLost' })
  t.equal((await denyList.followers()).byNode.size, 0, 'those of another data set do not count')
})

t.test('the stream is trimmed by age', async (t) => {
  const { redis, denyList } = await startFeed(t)
  await denyList.publish(newSessions(5_000))
  const count = async () => Number(await redis.cli('XLEN', '{keycard}:revocations'))
  t.equal(await count(), 5_000, 'a storm pushes nothing out')
  await redis.cli('DEL', '{keycard}:revocations')
  const longAgo = Date.now() - 3_660_000
  for (let index = 0; index < 500; index++) {
    await redis.cli('XADD', '{keycard}:revocations', `${longAgo + index}-1`, 'e', 'x')
  }
  await denyList.publish(newSessions(1))
  t.ok(
    (await count()) < 200,
    'what is older than a token can be goes, a node of the stream at a time'
  )
})
