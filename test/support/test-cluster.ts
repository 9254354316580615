import { execFile } from 'node:child_process'
import { chown, mkdtemp, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type ServerAccount, serverAccount, serverIdentity } from '../../src/embedded/account.js'
import { type PostgresBinaries, locateBinaries } from '../../src/embedded/binaries.js'
import { ownPort } from './own-port.js'
import { type Postmaster, launchPostmaster } from '../../src/embedded/postmaster.js'

/** A temporary folder that Postgres can work in, and what is needed to run it there. */
export interface Workbench {
  home: string
  binaries: PostgresBinaries
  account: ServerAccount
}

// Tests kill processes, not machines: what the kernel has been given is safe without fsync.
const testSettings = { fsync: 'off', max_connections: '300', shared_buffers: '32MB' }

export async function openWorkbench(): Promise<Workbench> {
  const binaries = await locateBinaries()
  const home = await mkdtemp(join(await realpath(tmpdir()), 'keycard-postgres-'))
  const identity = await serverIdentity(home)
  if (identity !== undefined) await chown(home, identity.uid, identity.gid)
  const account = await serverAccount(identity, [binaries.home, home])
  return { home, binaries, account }
}

/** Copies a stopped cluster, owners included. */
export async function copyCluster(from: string, to: string): Promise<void> {
  await promisify(execFile)('cp', ['-a', from, to])
}

/**
 * Starts the cluster in `directory`: on `port`, or on a free one.
 * @throws with the end of Postgres's log when it can't.
 */
export async function launchCluster(
  { binaries, account }: Workbench,
  directory: string,
  options: { port?: number; settings?: Readonly<Record<string, string>> } = {}
): Promise<Postmaster> {
  const settings = { ...testSettings, ...options.settings }
  for (;;) {
    const port = options.port ?? (await ownPort())
    const launch = await launchPostmaster({ binaries, account, directory, port, settings })
    if (launch.kind === 'ready') return launch.postmaster
    if (launch.kind === 'port-taken' && options.port === undefined) continue
    const output = 'output' in launch ? launch.output : ''
    throw new Error(`The test's Postgres did not start: ${launch.kind}\n${output}`)
  }
}
