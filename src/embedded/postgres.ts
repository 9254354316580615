import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { serverAccount, serverIdentity } from './account.js'
import { locateBinaries } from './binaries.js'
import { clearAway, clusterExists, createCluster, databaseName } from './cluster.js'
import { connectToServer, urlOf } from './connection.js'
import { letThrough, openDataDir } from './data-dir.js'
import type { EmbeddedLog, Site } from './site.js'
import { supervise } from './supervisor.js'
import { takeSite } from './takeover.js'
import { writeOnce } from './write-once.js'

export interface EmbeddedPostgres {
  /** Of the database `keycard`, on 127.0.0.1. The same as long as this process lives. */
  url: string
  /** The folder in use, absolute and without symlinks. */
  dataDir: string
  /** Postgres's fast shutdown; resolves when it has ended. */
  stop: () => Promise<void>
}

/**
 * A Postgres of this service's own, with its data in `<dataDir>/postgres`: made at the first start,
 * kept over restarts and crashes, started again when it dies, and owned by one process at a time.
 * @throws {StartError} with a message for the user where it can't be had.
 */
export async function startEmbeddedPostgres(options: {
  dataDir: string
  log: EmbeddedLog
}): Promise<EmbeddedPostgres> {
  const site = await prepareSite(options)
  if (!(await clusterExists(site.directory))) {
    site.log.info(`Setting up a database in ${site.directory}`)
    await createCluster(site)
  }
  const server = await takeSite(site)
  const address = { port: server.postmaster.port, password: site.password }
  const { stop } = supervise(site, server)
  try {
    await clearWorkshops(site.dataDir)
    await ensureDatabase(address)
  } catch (error) {
    await stop()
    throw error
  }
  return { url: urlOf(address, databaseName), dataDir: site.dataDir, stop }
}

async function prepareSite({ dataDir, log }: { dataDir: string; log: EmbeddedLog }): Promise<Site> {
  const folder = await openDataDir(dataDir)
  const directory = join(folder, 'postgres')
  const passwordFile = join(folder, 'postgres-password')
  const password = await writeOnce(passwordFile, () => randomBytes(32).toString('hex'))
  const binaries = await locateBinaries()
  const identity = await serverIdentity(directory)
  if (identity !== undefined) await letThrough(folder, identity)
  const account = await serverAccount(identity, [binaries.home, folder])
  return { dataDir: folder, directory, passwordFile, password, binaries, account, log }
}

/** What first starts that were killed left behind. Only the owner may do this. */
async function clearWorkshops(dataDir: string): Promise<void> {
  const names = await readdir(dataDir)
  for (const name of names.filter((name) => name.startsWith('postgres.new-'))) {
    await clearAway(join(dataDir, name))
  }
}

async function ensureDatabase(address: { port: number; password: string }): Promise<void> {
  const sql = connectToServer(address)
  try {
    const found = await sql`select 1 from pg_database where datname = ${databaseName}`
    if (found.length === 0) await sql`create database ${sql(databaseName)}`
  } finally {
    await sql.end()
  }
}
