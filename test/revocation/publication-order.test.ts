import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { type CoveredClaims, decide } from '../../src/revocation/decision.js'
import type { RevocationEvent } from '../../src/revocation/state.js'
import { connectDenyList, fill, nowMs, stateOf } from '../support/deny-list.js'
import { startRedis } from '../support/redis.js'

const [a, b, x] = [randomUUID(), randomUUID(), randomUUID()]

/** Few ids and levels, so that events and tokens meet often. */
const id = fc.constantFrom(a, b)
const level = fc.integer({ min: 0, max: 3 })
const lifeMs = fc.integer({ min: 60_000, max: 3_600_000 })
const liveUntil = lifeMs.map((life) => nowMs + life)

const event: fc.Arbitrary<RevocationEvent> = fc.oneof(
  fc.record({ kind: fc.constant('token' as const), target: id, liveUntil }),
  fc.record({ kind: fc.constant('session' as const), target: id, liveUntil }),
  fc.record({ kind: fc.constant('user' as const), target: id, level, liveUntil }),
  fc.record({ kind: fc.constant('everyone' as const), level })
)

/** Every token that the events could cover. */
const tokens: CoveredClaims[] = [a, b].flatMap((name) =>
  [0, 1, 2, 3].flatMap((number) => [
    { jti: name, sid: x, sub: x, ver: number, gen: 9 },
    { jti: x, sid: name, sub: x, ver: number, gen: 9 },
    { jti: x, sid: x, sub: name, ver: number, gen: 9 },
    { jti: name, sid: name, sub: name, ver: number, gen: number },
    { jti: x, sid: x, sub: x, ver: number, gen: number }
  ])
)

interface History {
  readonly truth: readonly RevocationEvent[]
  /** What was known when the data set was filled. */
  readonly filled: readonly RevocationEvent[]
  /** All that was published afterwards: late, repeated, in any order and together with others. */
  readonly batches: readonly (readonly RevocationEvent[])[]
}

const history: fc.Arbitrary<History> = fc
  .array(event, { minLength: 1, maxLength: 10 })
  .chain((truth) =>
    fc
      .tuple(
        fc.subarray(truth),
        fc.shuffledSubarray([...truth, ...truth], { minLength: 0 }),
        fc.integer({ min: 1, max: 4 })
      )
      .map(([filled, published, size]) => {
        const missing = truth.filter((entry) => !filled.includes(entry))
        const all = [...published, ...missing]
        const starts = all.map((_, index) => index).filter((index) => index % size === 0)
        return { truth, filled, batches: starts.map((start) => all.slice(start, start + size)) }
      })
  )

t.test('late, repeated and reordered publications change nothing', async (t) => {
  const redis = await startRedis(t)
  const denyList = await connectDenyList(t, redis)
  await fc.assert(
    fc.asyncProperty(history, async ({ truth, filled, batches }) => {
      await redis.cli('FLUSHALL')
      const dataSet = (await fill(denyList, filled)) ?? ''
      for (const batch of batches) await denyList.publish(batch)
      const views = (await denyList.read(dataSet, tokens)) ?? []
      const state = stateOf(truth)
      for (const [index, token] of tokens.entries()) {
        const view = views[index]
        if (view === undefined) return false
        if (decide(token, view).kind !== decide(token, state).kind) return false
      }
      return true
    }),
    { numRuns: 150 }
  )
  t.pass('150 histories')
})

t.test('an entry lives as long as the longest of its publications', async (t) => {
  const redis = await startRedis(t)
  const denyList = await connectDenyList(t, redis)
  // For the time between the publication and the question.
  const slackMs = 30_000
  await fc.assert(
    fc.asyncProperty(fc.array(lifeMs, { minLength: 1, maxLength: 4 }), async (lives) => {
      await redis.cli('DEL', `deny:user:{keycard}:${a}`)
      for (const [index, life] of lives.entries()) {
        const liveUntil = nowMs + life
        await denyList.publish([{ kind: 'user', target: a, level: 9 - index, liveUntil }])
      }
      const ttlMs = Number(await redis.cli('PTTL', `deny:user:{keycard}:${a}`))
      const longest = Math.max(...lives)
      return ttlMs <= longest && ttlMs > longest - slackMs
    }),
    { numRuns: 60 }
  )
  t.pass('60 sequences')
})

t.test('what has expired is not published', async (t) => {
  const redis = await startRedis(t)
  const denyList = await connectDenyList(t, redis)
  await denyList.publish([{ kind: 'token', target: a, liveUntil: nowMs }])
  t.equal(await redis.cli('DBSIZE'), 0)
})
