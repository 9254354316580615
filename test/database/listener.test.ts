import t from 'tap'
import { sql } from 'drizzle-orm'
import { connectDatabase } from '../../src/database/connection.js'
import { createTestDatabase, startPostgres } from '../support/postgres.js'

const shortMs = 20

t.test('a notification ends the wait, also one that came before it', async (t) => {
  const database = connectDatabase(await createTestDatabase(t))
  t.teardown(() => database.close())
  const listener = await database.listen('news')
  t.teardown(() => listener.end())
  const tell = () => database.write((db) => db.execute(sql`select pg_notify('news', '')`))

  const waiting = listener.notification(60_000)
  await tell()
  await waiting
  await tell()
  await listener.query((db) => db.execute(sql`select 1`))
  await listener.notification(60_000)
  await listener.notification(shortMs)
  t.pass('and without one it ends by itself')
})

t.test('a listener that has lost its connection is of no use any more', async (t) => {
  const postgres = await startPostgres(t)
  const database = connectDatabase(postgres.url)
  t.teardown(() => database.close())
  const listener = await database.listen('news')
  await postgres.kill()
  const ask = () => listener.query((db) => db.execute(sql`select 1`))
  await t.rejects(ask(), { name: 'DatabaseUnavailable' })
  await postgres.start()
  await t.rejects(ask(), { name: 'DatabaseUnavailable' })
  const next = await database.listen('news')
  t.ok(await next.query((db) => db.execute(sql`select 1`)))
  next.end()
  await next.notification(60_000)
  t.pass('and waits for nothing')
})

t.test('a server that is frozen is not waited for', async (t) => {
  const postgres = await startPostgres(t)
  const database = connectDatabase(postgres.url, { limits: { deadlineMs: 300 } })
  t.teardown(() => database.close())
  const listener = await database.listen('news')
  postgres.freeze()
  t.teardown(() => postgres.thaw())
  const ask = listener.query((db) => db.execute(sql`select 1`))
  await t.rejects(ask, { name: 'DatabaseUnavailable' })
})
