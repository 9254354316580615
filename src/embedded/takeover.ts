import { setTimeout as sleep } from 'node:timers/promises'
import { sqlState } from './connection.js'
import { freePort } from './free-port.js'
import { findServer, stopOrphan } from './orphan.js'
import { type Ownership, takeOwnership } from './ownership.js'
import { type Postmaster, launchPostmaster } from './postmaster.js'
import { StartError } from './start-error.js'
import { type Site, alreadyRunning, notStarted, wrongPassword } from './site.js'

export interface OwnedServer {
  postmaster: Postmaster
  ownership: Ownership
}

/** How long the lock of a process that was just killed may outlive it. */
export const lockWaitMs = 2_000
/** How long a server that nobody owns is watched: its owner may be about to take the lock (again). */
const watchMs = 500
const retryMs = 100
const deadlineMs = 30_000
const invalidPassword = '28P01'

/**
 * Starts a server on the site and owns it. A server that a killed Keycard left behind is stopped
 * first. Of several processes that try at once exactly one succeeds, and no server that somebody
 * owns is touched.
 * @throws {StartError} where another process owns the folder, or Postgres doesn't start.
 */
export async function takeSite(site: Site): Promise<OwnedServer> {
  const giveUpAt = performance.now() + deadlineMs
  let obstacle = 'A server that still works on this folder does not answer.'
  while (performance.now() < giveUpAt) {
    if (await clearOrphan(site)) {
      const launch = await launchPostmaster({ ...site, port: await freePort() })
      if (launch.kind === 'ready') return await own(site, launch.postmaster)
      if (launch.kind === 'failed') throw notStarted(site, launch.output)
      if (launch.kind === 'folder-in-use') obstacle = launch.output
    }
    await sleep(retryMs)
  }
  throw notStarted(site, obstacle)
}

/** Stops the server of a dead service. False where one is about to start or to end: ask again. */
async function clearOrphan(site: Site): Promise<boolean> {
  const found = await findServer(site.directory, site.password)
  if (found.kind !== 'running') return found.kind === 'none'
  const address = { port: found.port, password: site.password }
  try {
    const claim = await takeOwnership(address, lockWaitMs)
    if (claim === undefined) throw alreadyRunning(site)
    try {
      if (await claim.isContested(watchMs)) throw alreadyRunning(site)
      site.log.warn('A Postgres that a killed Keycard left behind is stopped first')
      await stopOrphan(site.directory, found.pid)
    } finally {
      await claim.release()
    }
    return true
  } catch (error) {
    if (error instanceof StartError) throw error
    return false
  }
}

/** The owner gives way to nobody: whoever got the lock first sees it wait, and gives up. */
async function own(site: Site, postmaster: Postmaster): Promise<OwnedServer> {
  const address = { port: postmaster.port, password: site.password }
  try {
    const ownership = await takeOwnership(address, lockWaitMs + watchMs)
    if (ownership === undefined) throw alreadyRunning(site)
    return { postmaster, ownership }
  } catch (error) {
    await postmaster.stop()
    if (error instanceof StartError) throw error
    throw sqlState(error) === invalidPassword
      ? wrongPassword(site)
      : notStarted(site, postmaster.tail())
  }
}
