import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { serverAccount, serverIdentity } from '../../src/embedded/account.js'
import { locateBinaries } from '../../src/embedded/binaries.js'
import { type ServerAddress, urlOf } from '../../src/embedded/connection.js'
import { freePort } from '../../src/embedded/free-port.js'
import { takeOwnership } from '../../src/embedded/ownership.js'
import { startEmbeddedPostgres } from '../../src/embedded/postgres.js'
import { type Postmaster, launchPostmaster } from '../../src/embedded/postmaster.js'
import type { EmbeddedLog } from '../../src/embedded/site.js'
import { connect } from '../support/connect.js'
import { startEmbeddedService } from '../support/embedded-service.js'
import { eventually } from '../support/eventually.js'
import { preparedDataDir } from '../support/prepared-data-dir.js'
import { temporaryFolder } from '../support/temporary-folder.js'

const silence: EmbeddedLog = { info: () => {}, warn: () => {}, error: () => {} }

/** A server on the folder that nobody owns. */
async function launchUnowned(t: Test, dataDir: string): Promise<Postmaster> {
  const directory = join(dataDir, 'postgres')
  const binaries = await locateBinaries()
  const account = await serverAccount(await serverIdentity(directory), [binaries.home, dataDir])
  const launch = await launchPostmaster({ binaries, account, directory, port: await freePort() })
  if (launch.kind !== 'ready') throw new Error(launch.kind)
  t.teardown(launch.postmaster.stop)
  return launch.postmaster
}

async function addressOf(dataDir: string, { port }: Postmaster): Promise<ServerAddress> {
  return { port, password: await readFile(join(dataDir, 'postgres-password'), 'utf8') }
}

t.test('a server that a dead service left behind is stopped, not mistaken for owned', async (t) => {
  const dataDir = await preparedDataDir(t)
  const orphan = await launchUnowned(t, dataDir)
  const warnings: string[] = []
  const log = { ...silence, warn: (message: string) => warnings.push(message) }
  const second = await startEmbeddedPostgres({ dataDir, log })
  t.teardown(second.stop)
  await orphan.exited
  t.same(await connect(t, second.url)`select 1 as one`, [{ one: 1 }])
  t.match(warnings, [/left behind/])
})

t.test('a newcomer who gets the lock first gives way to the owner who waits for it', async (t) => {
  const dataDir = await preparedDataDir(t)
  const server = await launchUnowned(t, dataDir)
  const address = await addressOf(dataDir, server)
  const observer = connect(t, urlOf(address, 'postgres'))
  const waiting = (count: number) =>
    eventually(`${count} waiting`, async () => {
      const rows =
        await observer`select 1 from pg_locks where locktype = 'advisory' and not granted`
      return rows.length === count
    })

  const gate = await takeOwnership(address, 0)
  const newcomer = startEmbeddedPostgres({ dataDir, log: silence }).catch((e: unknown) => e)
  await waiting(1)
  const owner = takeOwnership(address, 0)
  await waiting(2)
  await gate?.release()

  t.match(await newcomer, { name: 'StartError', message: /Another Keycard runs/ })
  const ownership = await owner
  t.ok(ownership, 'the owner has its lock')
  t.same(await observer`select 1 as one`, [{ one: 1 }], 'on a server that nobody touched')
  await ownership?.release()
})

for (const [kind, makeDataDir] of [
  ['an empty folder', temporaryFolder],
  ['a folder with data', preparedDataDir]
] as const) {
  t.test(`of services that start at the same time on ${kind} exactly one starts`, async (t) => {
    const dataDir = await makeDataDir(t)
    const services = await Promise.all([1, 2, 3].map(() => startEmbeddedService(t, dataDir)))
    const started = services.filter(({ outcome }) => outcome.kind === 'started')
    t.equal(started.length, 1)
    for (const { outcome } of services) {
      if (outcome.kind === 'refused') t.match(outcome.message, /Another Keycard runs/)
      else t.same(await connect(t, outcome.url)`select 1 as one`, [{ one: 1 }])
    }
  })
}

t.test('the folder stays owned when a crashed backend takes all connections along', async (t) => {
  const dataDir = await preparedDataDir(t)
  const server = await startEmbeddedPostgres({ dataDir, log: silence })
  t.teardown(server.stop)
  const sql = connect(t, server.url)
  const [row] = await sql`select pg_backend_pid() as pid`
  process.kill(Number(row?.['pid']), 'SIGKILL')
  await t.rejects(startEmbeddedPostgres({ dataDir, log: silence }), {
    message: /Another Keycard runs/
  })
  t.same(await eventually('an answer', () => sql`select 1 as one`, { withinMs: 60_000 }), [
    { one: 1 }
  ])
})
