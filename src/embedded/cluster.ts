import { once } from 'node:events'
import { access, chown, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ServerAccount } from './account.js'
import type { PostgresBinaries } from './binaries.js'
import { StartError } from './start-error.js'
import { keepTail } from './tail.js'

/** The superuser of every cluster made here, and the database the service works in. */
export const superuser = 'keycard'
export const databaseName = 'keycard'

export interface NewCluster {
  binaries: PostgresBinaries
  account: ServerAccount
  /** The data directory to be: its parent exists, and it may appear meanwhile. */
  directory: string
  password: string
  /** More arguments for initdb. */
  initdbArgs?: readonly string[]
}

/** Whether a cluster is there. A half-made one never is: see {@link createCluster}. */
export async function clusterExists(directory: string): Promise<boolean> {
  return await access(join(directory, 'PG_VERSION')).then(
    () => true,
    () => false
  )
}

/**
 * Makes a cluster (UTF-8, sorted by code point, passwords as scram-sha-256) in a folder beside
 * `directory` and renames it when it is whole. Where another process was faster, its cluster stays.
 * @throws {StartError} with the end of what initdb said.
 */
export async function createCluster(cluster: NewCluster): Promise<void> {
  const { account, directory, password } = cluster
  const workshop = await mkdtemp(`${directory}.new-`)
  try {
    const passwordFile = join(workshop, 'password')
    await writeFile(passwordFile, password, { mode: 0o600 })
    await handOver([workshop, passwordFile], account)
    const fresh = join(workshop, 'data')
    await runInitdb(cluster, fresh, passwordFile)
    await moveInto(fresh, directory)
  } catch (error) {
    // The owner of a finished cluster clears the workshops of others away.
    if (!(await clusterExists(directory))) throw error
  } finally {
    await clearAway(workshop)
  }
}

/** Others may be clearing the same folder, or their initdb still be writing to it: Node tries again. */
export async function clearAway(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 })
}

async function handOver(paths: readonly string[], { identity }: ServerAccount): Promise<void> {
  if (identity === undefined) return
  try {
    for (const path of paths) await chown(path, identity.uid, identity.gid)
  } catch (cause) {
    throw new StartError(
      `Postgres refuses to run as root, and its files can't be given to uid ${identity.uid}. ` +
        'Start Keycard as an ordinary user, or set DATABASE_URL to a Postgres of your own.',
      { cause }
    )
  }
}

async function runInitdb(cluster: NewCluster, directory: string, passwordFile: string) {
  const args = [
    ...['--pgdata', directory, '--username', superuser, '--pwfile', passwordFile],
    ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--no-instructions'],
    // Built into Postgres: needs no locale of the system.
    ...['--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
    ...(cluster.initdbArgs ?? [])
  ]
  const initdb = cluster.account.spawn(cluster.binaries.initdb, args, {
    stdio: ['ignore', 'ignore', 'pipe']
  })
  const tail = keepTail(initdb.stderr)
  const [code] = await once(initdb, 'close').catch((cause: unknown) => [String(cause)])
  if (code === 0) return
  throw new StartError(
    `The embedded Postgres could not be set up in ${cluster.directory}; set DATABASE_URL to a Postgres of your own, ` +
      `or see what initdb said, which ended with ${String(code)}:\n${tail.text()}`
  )
}

async function moveInto(fresh: string, directory: string): Promise<void> {
  await rename(fresh, directory)
  const parent = await open(dirname(directory))
  await parent.sync().finally(() => parent.close())
}
