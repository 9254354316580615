import { sql } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { connectDatabase, type Database, type Queries } from '../../src/database/connection.js'
import type { DatabaseLimits } from '../../src/database/limits.js'
import { createTestDatabase } from '../support/postgres.js'
import { createTestLog, type TestLog } from '../support/test-log.js'

t.test('a statement that is slow is given up, and the server not taken to be away', async (t) => {
  const { database, log } = await start(t, { statementMs: 500, suspicionMs: 100 })
  const slow = database.read(sleepLong)
  await Promise.all(several(20, () => database.read(selectOne)))
  await t.rejects(slow, { ...refusedWith('late'), cause: { code: '57014' } })
  await Promise.all(several(20, () => database.read(selectOne)))
  t.same(log.messages(), [])
})

t.test('a lock that is not had is given up', async (t) => {
  const { database, log } = await start(t, { lockMs: 500, suspicionMs: 100 })
  await database.write((db) => db.execute('create table locked (n int)'))
  const holder = gate()
  const held = gate()
  const holding = database.transaction(async (tx) => {
    await tx.execute('lock table locked')
    held.open()
    await holder.opened
  })
  await held.opened
  const waiting = database.read((db) => db.execute('select * from locked'))
  await t.rejects(waiting, { ...refusedWith('late'), cause: { code: '55P03' } })
  holder.open()
  await holding
  t.same(log.messages(), [])
})

t.test('calls that find every connection taken wait for one', async (t) => {
  const { database } = await start(t, { connections: 2 })
  const release = gate()
  const holders = several(2, () => database.read(() => release.opened))
  const waiting = several(5, () => database.read(selectOne))
  release.open()
  await Promise.all([...holders, ...waiting])
})

t.test('calls that get no connection in time are given up', async (t) => {
  const { database, log } = await start(t, { connections: 2, deadlineMs: 1000, suspicionMs: 100 })
  const release = gate()
  const holders = several(2, () => database.read(() => release.opened))
  const tooLate = async (): Promise<void> => {
    t.fail('called too late')
  }
  const waiting = several(5, () => database.read(tooLate))
  for (const call of [...holders, ...waiting]) await t.rejects(call, refusedWith('late'))
  release.open()
  await database.ping()
  t.same(log.messages(), [])
})

t.test('no more calls wait than the bound says', async (t) => {
  const { database } = await start(t, { connections: 1, calls: 3 })
  const release = gate()
  const calls = [
    database.read(() => release.opened),
    database.write(selectOne),
    database.transaction(selectOne)
  ]
  await t.rejects(database.read(selectOne), refusedWith('busy'))
  release.open()
  await Promise.all(calls)
  await database.ping()
})

t.test('what a call does after its deadline does not take effect', async (t) => {
  const { database } = await start(t, { connections: 1, deadlineMs: 1000, suspicionMs: 100 })
  await database.write((db) => db.execute('create table notes (text text)'))

  t.test('in a transaction that goes on', async (t) => {
    const late = gate()
    const after = gate()
    const call = database.transaction(async (tx) => {
      await tx.execute(`insert into notes values ('in time')`)
      await late.opened
      await tx.execute(`insert into notes values ('late')`).finally(after.open)
    })
    await t.rejects(call, refusedWith('late'))
    late.open()
    await after.opened
    t.same(await database.read((db) => db.execute('select * from notes')), [])
  })

  t.test('in a transaction that would only have to commit', async (t) => {
    const late = gate()
    const call = database.transaction(async (tx) => {
      await tx.execute(`insert into notes values ('in time')`)
      await late.opened
    })
    await t.rejects(call, refusedWith('late'))
    late.open()
    t.same(await database.read((db) => db.execute('select * from notes')), [])
  })

  t.test('in further statements of a write', async (t) => {
    const late = gate()
    const after = gate()
    const call = database.write(async (db) => {
      await late.opened
      await db.execute(`insert into notes values ('late')`).finally(after.open)
    })
    await t.rejects(call, refusedWith('late'))
    late.open()
    await after.opened
    t.same(await database.read((db) => db.execute('select * from notes')), [])
  })
})

t.test('a call that never ends costs its connection, not the place of others', async (t) => {
  const { database, log } = await start(t, { connections: 1, lingerMs: 100 })
  const pid = await database.read(backend)
  const stuck = database.transaction(() => new Promise(() => undefined))
  await t.rejects(stuck, refusedWith('late'))
  t.not(await database.read(backend), pid)
  t.same(log.messages(), [])
})

t.test('an old connection is replaced when it is free', async (t) => {
  const { database } = await start(t, { connections: 1, lifetimeMs: 0 })
  t.not(await database.read(backend), await database.read(backend))
})

t.test('connections are kept and used again', async (t) => {
  const { database } = await start(t, { connections: 1 })
  t.equal(await database.read(backend), await database.read(backend))
})

async function start(
  t: Test,
  limits: Partial<DatabaseLimits> = {}
): Promise<{ database: Database; log: TestLog }> {
  const log = createTestLog()
  const database = connectDatabase(await createTestDatabase(t), { log, limits })
  t.teardown(() => database.close())
  return { database, log }
}

const refusedWith = (reason: string) => ({ name: 'DatabaseUnavailable', reason })

const selectOne = async (db: Queries): Promise<unknown> => await db.execute('select 1')
const sleepLong = async (db: Queries): Promise<unknown> => await db.execute('select pg_sleep(10)')

async function backend(db: Queries): Promise<number> {
  const [row] = await db.execute<{ pid: number }>(sql`select pg_backend_pid() as pid`)
  return row?.pid ?? 0
}

function several<T>(count: number, make: () => Promise<T>): Promise<T>[] {
  return Array.from({ length: count }, make)
}

interface Gate {
  opened: Promise<void>
  open: () => void
}

function gate(): Gate {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}
