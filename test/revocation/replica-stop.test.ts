import t from 'tap'
import { uuidv7 } from 'uuidv7'
import { systemClock } from '../../src/clock.js'
import { connectDatabase } from '../../src/database/connection.js'
import type { Feed, Reading } from '../../src/revocation/feed.js'
import { createPostgresRegistry } from '../../src/revocation/registry.js'
import { createReplica } from '../../src/revocation/replica.js'
import { createTestDatabase } from '../support/postgres.js'
import { createTestLog } from '../support/test-log.js'

/** A feed of which one read is answered when the test says so. */
function createSlowFeed() {
  let ask = () => {}
  let answer = (_reading: Reading) => {}
  const asked = new Promise<void>((resolve) => {
    ask = resolve
  })
  const reading = new Promise<Reading>((resolve) => {
    answer = resolve
  })
  const feed: Feed = {
    rowLifeMs: 10_000,
    confirmsInRow: true,
    prepare: async () => ({ kind: 'ready', dataSet: null }),
    follow: async () => ({
      async read() {
        ask()
        return await reading
      },
      arrival: async () => [],
      end: () => undefined
    })
  }
  return { feed, asked, answer }
}

t.test('a replica that was stopped in its first read never begins to decide', async (t) => {
  const database = connectDatabase(await createTestDatabase(t))
  t.teardown(() => database.close())
  const { feed, asked, answer } = createSlowFeed()
  const turns: boolean[] = []
  const replica = createReplica({
    nodeId: uuidv7(),
    clientId: null,
    feed,
    registry: createPostgresRegistry(database, systemClock),
    leaseMs: 10_000,
    clock: systemClock,
    log: { ...createTestLog(), error: () => undefined },
    onTurn: (decides) => turns.push(decides)
  })
  const started = replica.start()
  await asked
  const stopped = replica.stop()
  answer({ events: [], isDrained: true })
  await Promise.all([started, stopped])
  t.same(turns, [])
  t.equal(replica.status().decidesFrom, 'database')
  const claims = { jti: uuidv7(), sid: uuidv7(), sub: uuidv7(), ver: 1, gen: 1 }
  t.equal(replica.decide(claims), undefined)
})
