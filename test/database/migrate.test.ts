import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { migrate, MigrationError } from '../../src/database/migrate.js'
import { createTestDatabase, startPostgres } from '../support/postgres.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const lock = [0x6b637264, 1] as const

t.test('an empty database gets every migration, once', async (t) => {
  const { url, sql } = await emptyDatabase(t)
  const all = await countMigrations()
  t.same(await migrate(url), { applied: all })
  t.same(await migrate(url), { applied: 0 })
  t.match(await sql`select generation from deployment`, [{ generation: 1 }])
})

t.test('four nodes that start at once on an empty database all come up', async (t) => {
  const { url } = await emptyDatabase(t)
  const nodes = await Promise.all([1, 2, 3, 4].map(() => readyNode(t, url)))
  const outcomes = await Promise.all(nodes.map((node) => node.go()))
  const applied = outcomes.map((outcome) => JSON.parse(outcome) as unknown)
  const none = { applied: 0 }
  t.same(sorted(applied), sorted([{ applied: await countMigrations() }, none, none, none]))
})

t.test('a database that is newer than this version is left alone', async (t) => {
  const { url, sql } = await emptyDatabase(t)
  await migrate(url)
  await sql`insert into drizzle.__drizzle_migrations (hash, created_at) values ('x', 9999999999999)`
  await t.rejects(migrate(url), {
    name: 'MigrationError',
    message: /newer than this version of Keycard: it has 1 migration/
  })
})

t.test('a migration that fails leaves nothing behind and says what Postgres said', async (t) => {
  const { url, sql } = await emptyDatabase(t)
  await sql`create table users (mine text)`
  await t.rejects(migrate(url), {
    name: 'MigrationError',
    message: 'The database could not be migrated: relation "users" already exists (42P07)'
  })
  t.match(await sql`select to_regclass('sessions') as sessions`, [{ sessions: null }])
  await sql`drop table users`
  t.same(await migrate(url), { applied: await countMigrations() })
})

t.test('another process that migrates is waited for, and not for ever', async (t) => {
  const { url, sql } = await emptyDatabase(t)
  await sql`select pg_advisory_lock(${lock[0]}, ${lock[1]})`
  await t.rejects(migrate(url, { lockMs: 200 }), {
    name: 'MigrationError',
    message: 'Another process has been migrating the database for 0.2 s'
  })
  const migrated = migrate(url)
  await someoneWaitingForTheLock(sql)
  await sql`select pg_advisory_unlock(${lock[0]}, ${lock[1]})`
  t.same(await migrated, { applied: await countMigrations() })
})

t.test('a connection that is lost meanwhile is an error, not a crash', async (t) => {
  const { url, sql } = await emptyDatabase(t)
  await sql`select pg_advisory_lock(${lock[0]}, ${lock[1]})`
  const failure = t.rejects(migrate(url), {
    name: 'MigrationError',
    message: /could not be migrated: .* \(CONNECTION_CLOSED\)/
  })
  const pid = await someoneWaitingForTheLock(sql)
  await sql`select pg_terminate_backend(${pid})`
  await failure
})

t.test('a Postgres that is still starting is waited for', async (t) => {
  const server = await startPostgres(t)
  await server.stop()
  const migrated = migrate(server.url)
  await server.start()
  t.same(await migrated, { applied: 0 })
})

t.test('what keeps Postgres from serving is said without the password', async (t) => {
  const url = new URL(await createTestDatabase(t))

  t.test('nobody there', async (t) => {
    const nobody = new URL(url)
    nobody.port = '1'
    const error = await failureOf(migrate(nobody.href, { startMs: 0 }))
    t.match(error.message, /^Postgres at 127.0.0.1:1 did not answer within 0 s: .*ECONNREFUSED/)
    t.notMatch(error.stack, url.password)
  })

  t.test('another password', async (t) => {
    const wrong = new URL(url)
    wrong.password = 's3cret'
    const error = await failureOf(migrate(wrong.href))
    t.match(error.message, /refuses: password authentication failed for user "\w+" \(28P01\)$/)
    t.notMatch(error.stack, 's3cret')
  })

  t.test('no such database', async (t) => {
    const missing = new URL(url)
    missing.pathname = 'nowhere'
    const error = await failureOf(migrate(missing.href))
    t.match(error.message, /refuses: database "nowhere" does not exist \(3D000\)$/)
  })

  t.test('a url that is none', async (t) => {
    const error = await failureOf(migrate('postgres://keycard:s3cret@host:port/keycard'))
    t.match(error.message, /database URL is not one that Postgres clients understand/)
    t.notMatch(error.stack, 's3cret')
  })
})

async function emptyDatabase(t: Test): Promise<{ url: string; sql: postgres.Sql }> {
  const url = await createTestDatabase(t)
  const sql = postgres(url, { max: 1, onnotice: () => undefined })
  t.teardown(() => sql.end())
  await sql`drop schema public, drizzle cascade`
  await sql`create schema public`
  return { url, sql }
}

async function countMigrations(): Promise<number> {
  const journal = await readFile(`${root}/migrations/meta/_journal.json`, 'utf8')
  return (JSON.parse(journal) as { entries: unknown[] }).entries.length
}

async function someoneWaitingForTheLock(sql: postgres.Sql): Promise<number> {
  for (;;) {
    const [row] = await sql<{ pid: number }[]>`
      select pid from pg_locks
      where locktype = 'advisory' and not granted and classid = ${lock[0]}
        and database = (select oid from pg_database where datname = current_database())`
    if (row !== undefined) return row.pid
  }
}

/** A process that only waits for the word to migrate. */
async function readyNode(t: Test, url: string): Promise<{ go: () => Promise<string> }> {
  const script = `${root}/test/support/migrate-process.ts`
  const node = spawn(process.execPath, ['--import=tsx', script, url], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit']
  })
  t.teardown(() => node.kill())
  const lines = createInterface(node.stdout)
  await once(lines, 'line')
  return {
    async go() {
      node.stdin.write('go\n')
      const [line] = (await once(lines, 'line')) as [string]
      return line
    }
  }
}

async function failureOf(migration: Promise<unknown>): Promise<MigrationError> {
  const error = await migration.catch((error: unknown) => error)
  if (error instanceof MigrationError) return error
  throw new Error('no MigrationError was thrown', { cause: error })
}

const sorted = (values: unknown[]): string[] => values.map((value) => JSON.stringify(value)).sort()
