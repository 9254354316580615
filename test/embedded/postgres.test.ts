import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import t, { type Test } from 'tap'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.js'
import type { EmbeddedLog } from '../../src/embedded/site.js'
import { StartError } from '../../src/embedded/start-error.js'
import { connect } from '../support/connect.js'
import { preparedDataDir } from '../support/prepared-data-dir.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const silence: EmbeddedLog = { info: () => {}, warn: () => {}, error: () => {} }

async function start(t: Test, dataDir: string, log = silence) {
  const server = await startEmbeddedPostgres({ dataDir, log })
  t.teardown(server.stop)
  return server
}

async function modeOf(path: string): Promise<number> {
  return (await stat(path)).mode & 0o777
}

t.test(
  'the first start makes a database that only this machine and account can reach',
  async (t) => {
    const dataDir = join(await temporaryFolder(t), 'deep', '.keycard')
    const server = await start(t, dataDir)
    const sql = connect(t, server.url)
    const [facts] = await sql`
    select current_database() as database, current_setting('server_encoding') as encoding,
      current_setting('listen_addresses') as addresses, current_setting('unix_socket_directories') as sockets,
      current_setting('password_encryption') as passwords, current_setting('fsync') as fsync,
      current_setting('timezone') as timezone, lower('ÄÖÜ') as lower`
    t.same(facts, {
      database: 'keycard',
      encoding: 'UTF8',
      addresses: '127.0.0.1',
      sockets: '',
      passwords: 'scram-sha-256',
      fsync: 'on',
      timezone: 'UTC',
      lower: 'äöü'
    })
    t.equal(server.dataDir, dataDir)
    t.same((await readdir(dataDir)).sort(), ['postgres', 'postgres-password'])
    t.equal(await modeOf(join(dataDir, 'postgres-password')), 0o600)
    t.equal(await modeOf(join(dataDir, 'postgres')), 0o700)
    t.equal((await modeOf(dataDir)) & 0o067, 0, 'others can neither list nor write')

    const stranger = new URL(server.url)
    stranger.password = 'guess'
    await t.rejects(connect(t, stranger.href)`select 1`, { code: '28P01' })
  }
)

t.test('a stop ends the server, and the next start has its data', async (t) => {
  const dataDir = await temporaryFolder(t)
  const first = await startEmbeddedPostgres({ dataDir, log: silence })
  const before = postgres(first.url, { max: 1 })
  await before`create table notes as select 'kept' as note`
  await before.end()
  await first.stop()
  await t.rejects(connect(t, first.url)`select 1`, { code: 'ECONNREFUSED' })

  const second = await start(t, dataDir)
  t.same(await connect(t, second.url)`select note from notes`, [{ note: 'kept' }])
})

t.test('a second start on the folder is told so, and the first one works on', async (t) => {
  const dataDir = await preparedDataDir(t)
  const first = await start(t, dataDir)
  const refusal = await startEmbeddedPostgres({ dataDir, log: silence }).catch((e: unknown) => e)
  t.type(refusal, StartError)
  t.match(String(refusal), dataDir)
  t.match(String(refusal), /Another Keycard runs .* KEYCARD_DATA_DIR/)
  t.same(await connect(t, first.url)`select 1 as one`, [{ one: 1 }])
})

t.test('what a killed first start left half-made is cleared away', async (t) => {
  const dataDir = await preparedDataDir(t)
  await writeFile(join(dataDir, 'postgres.new-abcdef'), '')
  await start(t, dataDir)
  t.same((await readdir(dataDir)).sort(), ['postgres', 'postgres-password'])
})

t.test('another password than the database has is told by its file', async (t) => {
  const dataDir = await preparedDataDir(t)
  const file = join(dataDir, 'postgres-password')
  await writeFile(file, 'another')
  const refusal = await startEmbeddedPostgres({ dataDir, log: silence }).catch((e: unknown) => e)
  t.type(refusal, StartError)
  t.match(String(refusal), file)
})

t.test('data that Postgres refuses is told in its words', async (t) => {
  const dataDir = await preparedDataDir(t)
  await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '9.6\n')
  const refusal = await startEmbeddedPostgres({ dataDir, log: silence }).catch((e: unknown) => e)
  t.type(refusal, StartError)
  t.match(String(refusal), /initialized by PostgreSQL version 9\.6/)
})
