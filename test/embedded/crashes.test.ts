import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type postgres from 'postgres'
import t from 'tap'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.js'
import type { EmbeddedLog } from '../../src/embedded/site.js'
import { connect } from '../support/connect.js'
import { type EmbeddedService, startEmbeddedService } from '../support/embedded-service.js'
import { eventually } from '../support/eventually.js'
import { preparedDataDir } from '../support/prepared-data-dir.js'

const patience = { withinMs: 60_000 }
const silence: EmbeddedLog = { info: () => {}, warn: () => {}, error: () => {} }

function urlOf({ outcome }: EmbeddedService): string {
  if (outcome.kind === 'refused') throw new Error(outcome.message)
  return outcome.url
}

async function postmasterOf(dataDir: string): Promise<number> {
  return parseInt(await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8'))
}

async function serverStart(sql: postgres.Sql): Promise<string> {
  const [row] = await sql`select pg_postmaster_start_time()::text as at`
  return String(row?.['at'])
}

t.test('after a kill of the service the next start has all that was committed', async (t) => {
  const dataDir = await preparedDataDir(t)
  const first = await startEmbeddedService(t, dataDir)
  await connect(t, urlOf(first))`create table notes as select 'kept' as note`
  await first.kill()
  const second = await startEmbeddedService(t, dataDir)
  t.same(await connect(t, urlOf(second))`select note from notes`, [{ note: 'kept' }])
})

t.test('after a kill of the service and of Postgres too', async (t) => {
  const dataDir = await preparedDataDir(t)
  const first = await startEmbeddedService(t, dataDir)
  await connect(t, urlOf(first))`create table notes as select 'kept' as note`
  const postmaster = await postmasterOf(dataDir)
  const killed = first.kill()
  process.kill(postmaster, 'SIGKILL')
  await killed
  const second = await startEmbeddedService(t, dataDir)
  t.same(await connect(t, urlOf(second))`select note from notes`, [{ note: 'kept' }])
})

t.test('Postgres is started again where it was when it is killed', async (t) => {
  const dataDir = await preparedDataDir(t)
  const told: string[] = []
  const tell = (message: string) => told.push(message)
  const log = { ...silence, warn: tell, error: tell }
  const server = await startEmbeddedPostgres({ dataDir, log })
  t.teardown(server.stop)
  const sql = connect(t, server.url)
  await sql`create table notes as select 'kept' as note`
  for (const life of ['first', 'second', 'third']) {
    const startedAt = await serverStart(sql)
    process.kill(await postmasterOf(dataDir), 'SIGKILL')
    // A backend may answer once more before it notices.
    await eventually('a new start', async () => (await serverStart(sql)) !== startedAt, patience)
    t.same(await sql`select note from notes`, [{ note: 'kept' }], life)
  }
  // One that is killed as soon as it answers may not have been owned yet.
  const what = /^Postgres (ended unexpectedly|could not be started again \(it ended before)/
  t.match(told, [/ended unexpectedly/, what, what])
})
