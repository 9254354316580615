/**
 * Keeps the Postgres cluster that all tests of a run share, in a process of its own: `tap` runs every
 * test file in another one. Its argument is the run's process id; when that process has ended, or at
 * SIGTERM, the cluster is stopped and removed.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import { migrate } from '../../src/database/migrate.js'
import { createCluster, databaseName } from '../../src/embedded/cluster.js'
import { urlOf } from '../../src/embedded/connection.js'
import { endOf } from './process-tree.js'
import { type KeeperReport, forgetRun, reportFile } from './shared-cluster.js'
import { type Workbench, copyCluster, launchCluster, openWorkbench } from './test-cluster.js'

const run = Number(process.argv[2])
const watchMs = 250
const sigterm = once(process, 'SIGTERM')
const sigint = once(process, 'SIGINT')

async function keep(bench: Workbench): Promise<void> {
  const password = randomBytes(16).toString('hex')
  const pristine = join(bench.home, 'pristine')
  await makePristine(bench, pristine, password)
  const shared = join(bench.home, 'shared')
  await copyCluster(pristine, shared)
  const server = await launchCluster(bench, shared)
  const cluster = { url: urlOf({ port: server.port, password }, 'postgres'), pristine, password }
  try {
    await report({ kind: 'ready', keeper: process.pid, cluster })
    await Promise.race([sigterm, sigint, endOf(run, watchMs), server.exited])
  } finally {
    await server.stop()
    await forgetRun(run)
  }
}

/** A stopped cluster whose database `keycard` has every migration. */
async function makePristine(bench: Workbench, directory: string, password: string): Promise<void> {
  const initdbArgs = ['--no-sync', '--wal-segsize', '1']
  await createCluster({ ...bench, directory, password, initdbArgs })
  const server = await launchCluster(bench, directory)
  const sql = postgres(urlOf({ port: server.port, password }, 'postgres'), { max: 1 })
  await sql`create database ${sql(databaseName)}`
  await sql.end()
  await migrate(urlOf({ port: server.port, password }, databaseName))
  await server.stop()
}

async function report(content: KeeperReport): Promise<void> {
  const file = reportFile(run)
  await writeFile(`${file}.new`, JSON.stringify(content), { mode: 0o600 })
  await rename(`${file}.new`, file)
}

const bench = await openWorkbench()
try {
  await keep(bench)
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  // The run may be over: then nobody is left to read it.
  await report({ kind: 'failed', message }).catch(() => undefined)
} finally {
  await rm(bench.home, { recursive: true, force: true })
}
process.exit()
