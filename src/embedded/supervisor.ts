import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Ownership, takeOwnership } from './ownership.js'
import { launchPostmaster } from './postmaster.js'
import type { Site } from './site.js'
import { type OwnedServer, lockWaitMs } from './takeover.js'

const relockMs = 50
const firstDelayMs = 100
const longestDelayMs = 5_000
/** After this time without a failure the next one counts as the first again. */
const settledMs = 10_000

/**
 * Keeps the server running on its port, and owned, until `stop`: a server that ends by itself is
 * started again, at once the first time, then after growing delays.
 */
export function supervise(site: Site, first: OwnedServer): { stop: () => Promise<void> } {
  const { port } = first.postmaster
  const stopping = new AbortController()
  const { signal } = stopping
  const nextDelayMs = createBackoff()
  let server = first

  async function keepRunning(): Promise<void> {
    while (!signal.aborted) {
      await stayOwner(site, server, signal)
      if (signal.aborted) return
      site.log.warn(`Postgres ended unexpectedly and is started again\n${server.postmaster.tail()}`)
      server = (await startAgain()) ?? server
    }
  }

  async function startAgain(): Promise<OwnedServer | undefined> {
    while (!signal.aborted) {
      await sleep(nextDelayMs(), undefined, { signal }).catch(() => undefined)
      const launch = await launchPostmaster({ ...site, port })
      if (launch.kind === 'ready') {
        const ownership = await lock(site, port)
        if (ownership !== undefined) return { postmaster: launch.postmaster, ownership }
        await launch.postmaster.stop()
      }
      const output = 'output' in launch ? launch.output : ''
      const fault = launch.kind === 'ready' ? 'it ended before it was owned' : launch.kind
      site.log.error(`Postgres could not be started again (${fault})\n${output}`)
    }
    return undefined
  }

  const watched = keepRunning()
  return {
    async stop() {
      stopping.abort()
      await watched
      // The lock goes last: until Postgres has ended, the folder is ours.
      await server.postmaster.stop()
      await server.ownership.release()
    }
  }
}

/**
 * Resolves when the server has ended or the service stops. The lock is lost without that when a
 * backend crashes, because Postgres then ends all connections; it is taken again.
 */
async function stayOwner(site: Site, server: OwnedServer, signal: AbortSignal): Promise<void> {
  const { postmaster } = server
  const over = Promise.race([postmaster.exited, once(signal, 'abort')]).then(() => 'over')
  while ((await Promise.race([over, server.ownership.lost])) !== 'over') {
    const regained = await lock(site, postmaster.port)
    if (regained === undefined) await Promise.race([over, sleep(relockMs)])
    else server.ownership = regained
  }
}

async function lock(site: Site, port: number): Promise<Ownership | undefined> {
  return await takeOwnership({ port, password: site.password }, lockWaitMs).catch(() => undefined)
}

function createBackoff(): () => number {
  let failures = 0
  let lastAt = -Infinity
  return () => {
    const now = performance.now()
    failures = now - lastAt > settledMs ? 0 : failures + 1
    lastAt = now
    return failures === 0 ? 0 : Math.min(longestDelayMs, firstDelayMs * 2 ** (failures - 1))
  }
}
