import { sql } from 'drizzle-orm'
import t from 'tap'
import { connectDatabase } from '../../src/database/connection.js'
import { readLogPage } from '../../src/revocation/log-page.js'
import { eventually } from '../support/eventually.js'
import { createTestDatabase } from '../support/postgres.js'

t.test('a look for news reads nothing of what was seen, however much is live', async (t) => {
  const database = connectDatabase(await createTestDatabase(t), { limits: { connections: 1 } })
  t.teardown(() => database.close())
  const now = new Date()
  const live = 5_000

  async function look(since: string | undefined) {
    return await database.read((db) =>
      readLogPage(db, { since, after: undefined, now, limit: 10_000 })
    )
  }

  /** Entries of any index of the log that were read so far. */
  async function entriesRead(): Promise<number> {
    await database.read((db) => db.execute(sql`select pg_stat_force_next_flush()`))
    const [row] = await database.read((db) =>
      db.execute<{ count: number }>(sql`
        select sum(idx_tup_read)::int as count from pg_stat_user_indexes
        where relname = 'revocations'`)
    )
    return row?.count ?? 0
  }

  const before = await look(undefined)
  await database.write((db) =>
    db.execute(sql`
      insert into revocations (id, kind, target, reason, created_at, live_until)
      select gen_random_uuid(), 'session', gen_random_uuid(), 'x', now(), now() + interval '15 min'
      from generate_series(1, ${live}::int)`)
  )
  const news = await look(before.horizon)
  t.equal(news.events.length, live)
  // From the sixth time on Postgres may keep a plan for all horizons.
  for (let time = 0; time < 10; time++) t.equal((await look(news.horizon)).events.length, 0)
  let since = news.horizon
  // A horizon lies before what the transactions of other tests write, as long as they last.
  await eventually('a look reads no entry', async () => {
    const readBefore = await entriesRead()
    since = (await look(since)).horizon
    return (await entriesRead()) === readBefore
  })
})
