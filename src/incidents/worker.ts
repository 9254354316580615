import { recordAudit } from '../audit/events.js'
import type { Queries } from '../database/connection.js'
import { every } from '../every.js'
import type { Receipt } from '../revocation/announcer.js'
import type { RevocationService } from '../revocation/revocation.js'
import { ClaimLost, type CohortRunParts, runCohort } from './cohort-run.js'
import { insist } from './insist.js'
import {
  beat,
  type Claim,
  type ClaimedIncident,
  findIncident,
  finishIncident,
  type Incident,
  noteReceipt,
  releaseClaim
} from './store.js'

const beatMs = 1_000

export interface WorkerOptions extends CohortRunParts {
  readonly revocation: CohortRunParts['revocation'] & Pick<RevocationService, 'find'>
}

export interface Work {
  readonly claim: Claim
  /** Aborted when this process is to stop: the step at hand is ended, the rest left to the next one. */
  readonly signal: AbortSignal
  readonly onProgress: (incident: Incident) => void
}

/** Works on a claimed incident until it is finished, not its own any more, or the signal is aborted. */
export function createWorker(options: WorkerOptions) {
  const { database, revocation, clock } = options

  async function report({ claim, onProgress }: Work): Promise<void> {
    const incident = await database.read((db) => findIncident(db, claim.id))
    if (incident !== undefined) onProgress(incident)
  }

  async function finish({ claim, onProgress }: Work, receipt: Receipt | undefined): Promise<void> {
    const now = new Date(clock())
    const finished = await database.transaction(async (tx) => {
      if (receipt !== undefined) await noteReceipt(tx, claim, receipt)
      const incident = await finishIncident(tx, claim, now)
      if (incident !== undefined) await auditEnd(tx, incident, now)
      return incident
    })
    if (finished === undefined) throw new ClaimLost()
    onProgress(finished)
  }

  /** Its generation was raised when it started: what is left is to know that this is true everywhere. */
  async function runEveryone(id: string): Promise<Receipt | undefined> {
    const recorded = await revocation.find(id)
    return recorded && (await revocation.announce(recorded))
  }

  async function run(incident: ClaimedIncident, work: Work): Promise<void> {
    const { claim, signal } = work
    const receipt =
      incident.target.kind === 'everyone'
        ? await insist(signal, () => runEveryone(incident.id))
        : await runCohort(options, incident, { claim, signal, report: () => report(work) })
    await insist(signal, () => finish(work, receipt))
  }

  return async function work(incident: ClaimedIncident, asked: Work): Promise<void> {
    const { claim } = asked
    const losing = new AbortController()
    const signal = AbortSignal.any([asked.signal, losing.signal])
    const beating = every(beatMs, async () => {
      if (!(await database.write((db) => beat(db, claim)))) losing.abort()
    })
    try {
      await run(incident, { ...asked, signal })
    } catch (error) {
      if (!signal.aborted && !(error instanceof ClaimLost)) throw error
    } finally {
      await beating.stop()
      await database.write((db) => releaseClaim(db, claim)).catch(() => undefined)
    }
  }
}

async function auditEnd(tx: Queries, incident: Incident, now: Date): Promise<void> {
  const { id, actor, reason, sessionsRevoked, batches, receipt } = incident
  await recordAudit(
    tx,
    {
      action: 'incident.finished',
      outcome: 'success',
      origin: { actor, ip: null },
      subject: { kind: 'incident', id },
      userId: null,
      reason,
      details: { sessions: sessionsRevoked, batches, guarantee: receipt?.guarantee ?? null }
    },
    now
  )
}
