import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { connectDatabase, type Database, type Queries } from '../../src/database/connection.js'
import { startPostgres, type TestPostgres } from '../support/postgres.js'
import { createTestLog, type TestLog } from '../support/test-log.js'

t.test('a server that is killed is known to be away until it is back', async (t) => {
  const { server, database, log } = await start(t)
  await database.ping()
  await server.kill()
  await t.rejects(database.ping(), { name: 'DatabaseUnavailable' })
  await log.heard('The database is away')
  await t.rejects(database.ping(), refusedWith('away'))
  await t.rejects(database.write(selectOne), refusedWith('away'))
  await t.rejects(database.transaction(selectOne), refusedWith('away'))

  await server.start()
  await log.heard('The database is back')
  await database.ping()
  await database.write(selectOne)
  t.same(log.messages(), ['The database is away', 'The database is back'])
})

t.test('calls on their way when the server is killed are all answered', async (t) => {
  const { server, database, log, observer } = await start(t)
  const calls = [
    ...several(15, () => database.read(sleepLong)),
    ...several(15, () => database.write(sleepLong)),
    ...several(15, () => database.transaction(sleepLong))
  ]
  const outcomes = Promise.allSettled(calls)
  await sleeping(observer, 10)
  await server.kill()
  for (const outcome of await outcomes) {
    t.match(outcome, { status: 'rejected', reason: { name: 'DatabaseUnavailable' } })
  }
  await server.start()
  await log.heard('The database is back')
  await Promise.all(several(30, () => database.transaction(selectOne)))
})

t.test('a server that is frozen is found out, and served from as soon as it thaws', async (t) => {
  const { server, database, log } = await start(t)
  await Promise.all(several(10, () => database.write(selectOne)))
  server.freeze()
  t.teardown(() => server.thaw())
  const outcomes = await Promise.allSettled([
    ...several(20, () => database.read(selectOne)),
    ...several(20, () => database.transaction(selectOne))
  ])
  for (const outcome of outcomes) {
    t.match(outcome, { status: 'rejected', reason: { name: 'DatabaseUnavailable' } })
  }
  await log.heard('The database is away')
  await t.rejects(database.ping(), refusedWith('away'))

  server.thaw()
  await log.heard('The database is back')
  await Promise.all(several(30, () => database.transaction(selectOne)))
})

t.test('one call is enough to find out that the server is frozen', async (t) => {
  const { server, database, log } = await start(t)
  await Promise.all(several(10, () => database.write(selectOne)))
  server.freeze()
  t.teardown(() => server.thaw())
  await t.rejects(database.ping(), { name: 'DatabaseUnavailable' })
  await log.heard('The database is away')
  server.thaw()
  await log.heard('The database is back')
  await Promise.all(several(30, () => database.transaction(selectOne)))
})

t.test('a restart in the middle of calls ends with every connection healed', async (t) => {
  const { server, database } = await start(t)
  await Promise.all(several(10, () => database.write(selectOne)))
  await server.stop()
  await server.start()
  await Promise.all(several(30, () => database.read(selectOne)))
  await Promise.all(several(30, () => database.write(selectOne)))
})

t.test('a read goes on when its connection is terminated, a write does not', async (t) => {
  const { database, log, observer } = await start(t)
  const attempts = { read: 0, write: 0, transaction: 0 }

  const read = database.read(async (db) => {
    attempts.read++
    if (attempts.read === 1) await terminateDuring(observer, db)
    return attempts.read
  })
  t.equal(await read, 2)
  const write = database.write(async (db) => {
    attempts.write++
    await terminateDuring(observer, db)
  })
  await t.rejects(write, refusedWith('lost'))
  const transaction = database.transaction(async (tx) => {
    attempts.transaction++
    await terminateDuring(observer, tx)
  })
  await t.rejects(transaction, refusedWith('lost'))

  t.same(attempts, { read: 2, write: 1, transaction: 1 })
  await Promise.all(several(30, () => database.write(selectOne)))
  t.same(log.messages(), [], 'the server was never taken to be away')
})

t.test('every connection terminated at once costs no later call anything', async (t) => {
  const { database, log, observer } = await start(t)
  await Promise.all(several(10, () => database.read(selectOne)))
  for (let round = 0; round < 5; round++) {
    await observer`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'keycard' and datname = current_database()`
    await Promise.all(several(30, () => database.read(selectOne)))
  }
  t.same(log.messages(), [])
})

t.test('nothing of a transaction is done when its connection is lost', async (t) => {
  const { database, observer } = await start(t)
  await database.write((db) => db.execute('create table notes (text text)'))
  const call = database.transaction(async (tx) => {
    await tx.execute(`insert into notes values ('before')`)
    await Promise.allSettled([
      terminateDuring(observer, tx),
      ...several(5, (n) => tx.execute(sql`insert into notes values (${String(n)})`))
    ])
    await tx.execute(`insert into notes values ('after')`).catch(() => undefined)
  })
  await t.rejects(call, refusedWith('lost'))
  t.same(await database.read((db) => db.execute('select * from notes')), [])
})

t.test('close is prompt and complete', async (t) => {
  t.test('with a server that is frozen and not known to be', async (t) => {
    const { server, database } = await start(t)
    const before = openSockets()
    await Promise.all(several(10, () => database.read(selectOne)))
    t.equal(openSockets(), before + 10)
    server.freeze()
    t.teardown(() => server.thaw())
    const calls = Promise.allSettled(several(20, () => database.write(selectOne)))
    await database.close()
    for (const outcome of await calls) t.match(outcome, { reason: { reason: 'closed' } })
    t.equal(openSockets(), before)
  })

  t.test('with a server that is away', async (t) => {
    const { server, database, log, observer } = await start(t)
    await observer.end()
    const before = openSockets()
    await server.kill()
    await t.rejects(database.ping(), { name: 'DatabaseUnavailable' })
    await log.heard('The database is away')
    await database.close()
    t.equal(openSockets(), before)
    await server.start()
    t.same(log.messages(), ['The database is away'], 'nobody looks for it any more')
  })
})

t.test('a server that never was there is waited for like any other', async (t) => {
  const { server, database, log } = await start(t)
  await server.stop()
  await t.rejects(database.ping(), { name: 'DatabaseUnavailable' })
  await log.heard('The database is away')
  await server.start()
  await log.heard('The database is back')
  await database.ping()
})

interface Setup {
  server: TestPostgres
  database: Database
  log: TestLog
  /** A client that has nothing to do with what is tested. */
  observer: postgres.Sql
}

async function start(t: Test): Promise<Setup> {
  const server = await startPostgres(t)
  const log = createTestLog()
  const database = connectDatabase(server.url, { log })
  t.teardown(() => database.close())
  const observer = postgres(server.url, { max: 1 })
  t.teardown(() => observer.end({ timeout: 0 }))
  await observer`select 1`
  return { server, database, log, observer }
}

const refusedWith = (reason: string) => ({ name: 'DatabaseUnavailable', reason })

const selectOne = async (db: Queries): Promise<unknown> => await db.execute('select 1')
const sleepLong = async (db: Queries): Promise<unknown> => await db.execute('select pg_sleep(10)')

function several<T>(count: number, make: (index: number) => Promise<T>): Promise<T>[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

async function sleeping(observer: postgres.Sql, count: number): Promise<void> {
  for (;;) {
    const found = await observer`select from pg_stat_activity where wait_event = 'PgSleep'`
    if (found.length === count) return
  }
}

/** Ends the connection of `db` while Postgres works on a statement of it. */
async function terminateDuring(observer: postgres.Sql, db: Queries): Promise<void> {
  const [row] = await db.execute<{ pid: number }>('select pg_backend_pid() as pid')
  const terminate = async (): Promise<void> => {
    await sleeping(observer, 1)
    await observer`select pg_terminate_backend(${row?.pid ?? 0})`
  }
  await Promise.all([sleepLong(db), terminate()])
}

const openSockets = (): number =>
  process.getActiveResourcesInfo().filter((name) => /^TCP(Socket|Connect)Wrap$/.test(name)).length
