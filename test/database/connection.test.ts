import { eq, sql } from 'drizzle-orm'
import t from 'tap'
import { uuidv7 } from 'uuidv7'
import {
  connectDatabase,
  type Database,
  isUniqueViolation,
  prepared,
  type Queries
} from '../../src/database/connection.js'
import { QueryFailed } from '../../src/database/errors.js'
import { users } from '../../src/database/schema.js'
import { createTestDatabase } from '../support/postgres.js'

t.test('the database of a node that answers', async (t) => {
  const database = connectDatabase(await createTestDatabase(t))
  t.teardown(() => database.close())

  t.test('reads what was written', async (t) => {
    const email = await writeUser(database)
    t.equal(await countUsers(database, email), 1)
  })

  t.test('keeps what a transaction did, and answers with its result', async (t) => {
    const email = newEmail()
    const result = await database.transaction(async (tx) => {
      await insertUser(tx, email)
      return 'done'
    })
    t.equal(result, 'done')
    t.equal(await countUsers(database, email), 1)
  })

  t.test('undoes a transaction whose work throws, and throws the same', async (t) => {
    const email = newEmail()
    const refusal = new Error('changed my mind')
    const call = database.transaction(async (tx) => {
      await insertUser(tx, email)
      throw refusal
    })
    t.equal(await call.catch((error: unknown) => error), refusal)
    t.equal(await countUsers(database, email), 0)
  })

  t.test('does not take a transaction for committed that swallowed an error', async (t) => {
    const email = newEmail()
    const call = database.transaction(async (tx) => {
      await insertUser(tx, email)
      await tx.execute('select 1 / 0').catch(() => undefined)
    })
    await t.rejects(call, { message: /went on after one of its statements had failed/ })
    t.equal(await countUsers(database, email), 0)
  })

  t.test('tells the violation of a unique constraint, with no value of the row', async (t) => {
    const email = await writeUser(database)
    const error = await writeUser(database, email).catch((error: unknown) => error)
    t.ok(error instanceof QueryFailed)
    t.ok(isUniqueViolation(error))
    t.ok(isUniqueViolation(error, 'users_email_unique'))
    t.notOk(isUniqueViolation(error, 'users_pkey'))
    t.notMatch(everythingIn(error), email)
  })

  t.test('shows no value of a statement that Postgres could not read', async (t) => {
    const call = database.read((db) => db.execute(sql`select ${'s3cret'}::uuid`))
    const error = await call.catch((error: unknown) => error)
    t.match(error, { name: 'QueryFailed', cause: { code: '22P02' } })
    t.notOk(isUniqueViolation(error))
    t.notMatch(everythingIn(error), 's3cret')
  })

  t.test('refuses a parameter that is undefined', async (t) => {
    const call = database.write((db) => db.execute(sql`select ${sql.param(undefined)}::text`))
    await t.rejects(call, { name: 'QueryFailed', cause: { code: 'UNDEFINED_VALUE' } })
  })

  t.test('passes on what a query throws by itself, also at once', async (t) => {
    const fault = new TypeError('a fault of ours')
    const call = database.read(() => {
      throw fault
    })
    t.equal(await call.catch((error: unknown) => error), fault)
  })

  t.test('plans a prepared statement once per connection', async (t) => {
    const byEmail = prepared((db) =>
      db
        .select({ id: users.id })
        .from(users)
        .where(eq(users.email, sql.placeholder('email')))
        .prepare('user_by_email')
    )
    const email = await writeUser(database)
    const plans = await database.read(async (db) => {
      t.equal((await byEmail(db).execute({ email })).length, 1)
      t.equal((await byEmail(db).execute({ email: newEmail() })).length, 0)
      t.equal(byEmail(db), byEmail(db))
      return await db.execute<{ name: string }>(
        sql`select name from pg_prepared_statements where statement like 'select "id" from "users"%'`
      )
    })
    t.equal(plans.length, 1)
  })
})

t.test('a closed database refuses every call', async (t) => {
  const database = connectDatabase(await createTestDatabase(t))
  await database.ping()
  await database.close()
  await t.rejects(database.ping(), { name: 'DatabaseUnavailable', reason: 'closed' })
  await t.resolves(database.close(), 'closing again does nothing')
})

t.test('close lets a call finish that is on its way', async (t) => {
  const database = connectDatabase(await createTestDatabase(t))
  let onStarted: (() => void) | undefined
  const started = new Promise<void>((resolve) => {
    onStarted = resolve
  })
  const call = database.write(async (db) => {
    onStarted?.()
    return await db.execute<{ answer: number }>(sql`select 42 as answer from pg_sleep(0.2)`)
  })
  await started
  const closed = database.close()
  await t.rejects(database.ping(), { name: 'DatabaseUnavailable', reason: 'closed' })
  t.match(await call, [{ answer: 42 }])
  await closed
})

t.test('a url that no client understands is not repeated in the error', async (t) => {
  const url = 'postgres://keycard:s3cret@127.0.0.1:99999/keycard'
  const attempt = (): Database => connectDatabase(url)
  t.throws(attempt, { message: /not one that Postgres clients understand/ })
  try {
    attempt()
  } catch (error) {
    t.notMatch(everythingIn(error), 's3cret')
  }
})

t.test('a url with more than one server is refused', async (t) => {
  const attempt = (): Database => connectDatabase('postgres://keycard@one,two/keycard')
  t.throws(attempt, { message: 'The database URL names more than one server' })
})

t.test('credentials that are refused make the database unavailable', async (t) => {
  const url = new URL(await createTestDatabase(t))
  url.password = 'another'
  const database = connectDatabase(url.href)
  t.teardown(() => database.close())
  await t.rejects(database.ping(), { name: 'DatabaseUnavailable', reason: 'refused' })
  await t.rejects(database.ping(), { name: 'DatabaseUnavailable', reason: 'refused' })
})

const newEmail = (): string => `${uuidv7()}@example.com`

async function writeUser(database: Database, email = newEmail()): Promise<string> {
  await database.write((db) => insertUser(db, email))
  return email
}

async function insertUser(db: Queries, email: string): Promise<void> {
  const now = new Date()
  await db.insert(users).values({
    id: uuidv7(),
    email,
    name: 'Ada',
    passwordHash: 'none',
    createdAt: now,
    updatedAt: now
  })
}

async function countUsers(database: Database, email: string): Promise<number> {
  return await database.read((db) => db.$count(users, eq(users.email, email)))
}

/** What a careless logger could write about `error`. */
function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return [error.stack, JSON.stringify(error), everythingIn(error.cause)].join('\n')
}
