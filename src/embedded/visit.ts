import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { clusterExists, databaseName } from './cluster.js'
import { urlOf } from './connection.js'
import { findServer } from './orphan.js'
import { startEmbeddedPostgres } from './postgres.js'
import type { EmbeddedLog } from './site.js'
import { StartError } from './start-error.js'

/** A database that this process may use for a while. */
export interface EmbeddedVisit {
  readonly url: string
  readonly leave: () => Promise<void>
}

/**
 * The embedded Postgres of a data directory that is there already: the one that a service runs, or,
 * while none does, started for as long as the visit lasts. It makes none: a command in the wrong
 * folder must not work on an empty database and report success.
 *
 * @throws {StartError}
 */
export async function visitEmbeddedPostgres(options: {
  dataDir: string
  log: EmbeddedLog
}): Promise<EmbeddedVisit> {
  const dataDir = resolve(options.dataDir)
  const directory = join(dataDir, 'postgres')
  if (!(await clusterExists(directory))) {
    throw new StartError(
      `There is no database in ${dataDir}: set DATABASE_URL, or KEYCARD_DATA_DIR to the folder of the service, or start it there first.`
    )
  }
  const password = await readFile(join(dataDir, 'postgres-password'), 'utf8').catch(() => '')
  const found = await findServer(directory, password.trim())
  if (found.kind === 'running') {
    const url = urlOf({ port: found.port, password: password.trim() }, databaseName)
    return { url, leave: async () => undefined }
  }
  const { url, stop } = await startEmbeddedPostgres({ ...options, dataDir })
  return { url, leave: stop }
}
