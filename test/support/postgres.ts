import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import postgres from 'postgres'
import type { Lifetime } from './lifetime.js'
import { databaseName } from '../../src/embedded/cluster.js'
import { urlOf } from '../../src/embedded/connection.js'
import type { Postmaster } from '../../src/embedded/postmaster.js'
import { freezeTree, killTree, thawTree } from './process-tree.js'
import { type Reaper, reapAfterUs } from './reaper.js'
import { type SharedCluster, sharedCluster } from './shared-cluster.js'
import { type Workbench, copyCluster, launchCluster, openWorkbench } from './test-cluster.js'

/** A server of one test's own, to be hurt as it likes. */
export interface TestPostgres {
  /** Of a migrated database. Stays the same through every restart. */
  url: string
  /** Postgres's fast shutdown. */
  stop: () => Promise<void>
  /** SIGKILL to all of its processes. */
  kill: () => Promise<void>
  /** SIGSTOP to all of its processes: connections stay open and nothing answers. */
  freeze: () => void
  thaw: () => void
  /** Starts it again, on the same port and data, after `stop` or `kill`. */
  start: () => Promise<void>
}

/**
 * A new database on the run's shared server, migrated unless it is to be empty; dropped when `t`
 * ends. Returns its url.
 */
export async function createTestDatabase(t: Lifetime, { empty = false } = {}): Promise<string> {
  const cluster = await sharedCluster()
  const name = `test_${randomBytes(8).toString('hex')}`
  const template = empty ? 'template0' : databaseName
  await administer(cluster, (sql) => sql`create database ${sql(name)} template ${sql(template)}`)
  t.teardown(() =>
    administer(cluster, (sql) => sql`drop database if exists ${sql(name)} with (force)`)
  )
  const url = new URL(cluster.url)
  url.pathname = name
  return url.href
}

async function administer(
  cluster: SharedCluster,
  work: (sql: postgres.Sql) => Promise<unknown>
): Promise<void> {
  const sql = postgres(cluster.url, { max: 1, onnotice: () => undefined })
  await work(sql).finally(() => sql.end())
}

/** A running, migrated server for `t` alone; gone when `t` ends. `settings` are Postgres's, by name. */
export async function startPostgres(
  t: Lifetime,
  { settings = {} }: { settings?: Readonly<Record<string, string>> } = {}
): Promise<TestPostgres> {
  const cluster = await sharedCluster()
  const bench = await openWorkbench()
  const directory = join(bench.home, 'data')
  await copyCluster(cluster.pristine, directory)
  const life = await firstLife(bench, directory, settings)
  t.teardown(async () => {
    await life.kill()
    await rm(bench.home, { recursive: true, force: true })
  })
  return { url: urlOf({ port: life.port, password: cluster.password }, databaseName), ...life }
}

type Life = Omit<TestPostgres, 'url'> & { port: number }

async function firstLife(
  bench: Workbench,
  directory: string,
  settings: Readonly<Record<string, string>>
): Promise<Life> {
  let server: Postmaster = await launchCluster(bench, directory, { settings })
  let reaper: Reaper = reapAfterUs(server.pid, 'QUIT', bench.home)
  let running = true
  const { port } = server
  const end = async (how: () => Promise<unknown>) => {
    if (!running) return
    running = false
    await how()
    await reaper.dismiss()
  }
  return {
    port,
    stop: () => end(() => server.stop()),
    kill: () =>
      end(() => {
        killTree(server.pid)
        return server.exited
      }),
    freeze: () => freezeTree(server.pid),
    thaw: () => thawTree(server.pid),
    start: async () => {
      if (running) return
      server = await launchCluster(bench, directory, { port, settings })
      reaper = reapAfterUs(server.pid, 'QUIT', bench.home)
      running = true
    }
  }
}
