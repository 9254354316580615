import { every } from '../every.js'
import type { Log } from '../revocation/log.js'
import type { Incidents } from './incidents.js'

export type IncidentKeeper = ReturnType<typeof createIncidentKeeper>

/**
 * Works on incidents in the background of a node: on those that it is given, and on those whose worker
 * fell silent, wherever that was.
 */
export function createIncidentKeeper({
  incidents,
  log,
  lookEveryMs = 5_000
}: {
  readonly incidents: Pick<Incidents, 'run' | 'orphans'>
  readonly log: Log
  readonly lookEveryMs?: number
}) {
  const stopping = new AbortController()
  const runs = new Set<Promise<void>>()

  async function run(id: string): Promise<void> {
    try {
      const incident = await incidents.run(id, { signal: stopping.signal })
      const { status, sessionsRevoked } = incident ?? {}
      log.info(
        { event: 'incident.left', incidentId: id, status, sessionsRevoked },
        'Work has ended'
      )
    } catch (err) {
      log.error({ event: 'incident.failed', incidentId: id, err }, 'Work on an incident failed')
    }
  }

  function work(id: string): void {
    const running = run(id).finally(() => runs.delete(running))
    runs.add(running)
  }

  const adopting = every(lookEveryMs, async () => {
    for (const id of await incidents.orphans()) work(id)
  })

  return {
    /** Works on it in the background. */
    work,

    /** The step at hand is ended; the rest is left to another node. */
    async stop(): Promise<void> {
      stopping.abort()
      await adopting.stop()
      await Promise.all(runs)
    }
  }
}
