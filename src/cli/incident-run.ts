import type { Incident } from '../incidents/store.js'
import type { CommandContext } from './command.js'
import { refused } from './command-error.js'
import type { Deployment } from './deployment.js'
import { exitCodes } from './exit-codes.js'
import { IncidentLeft } from './incident-left.js'
import { operatorOrigin } from './operator.js'
import { watchForOutage } from './outage-watch.js'
import { progressBar } from './progress-bar.js'
import { receiptText } from './receipts.js'
import type { Report } from './report.js'
import { fields } from './table.js'
import { instant } from './times.js'

/** For so long Postgres may be away while an incident is worked on, unless that is to be waited for. */
const patienceMs = 60_000

/**
 * Works on an incident and shows how far it is. Ctrl-C stops it between two batches, so that no other
 * process takes it over either. While Postgres is away it tries again: for a minute, or with `wait`
 * until somebody presses Ctrl-C.
 *
 * @throws IncidentLeft, and CommandError where there is no such incident
 */
export async function runIncident(
  deployment: Deployment,
  context: Pick<CommandContext, 'terminal' | 'interruption'>,
  id: string,
  { wait = false }: { readonly wait?: boolean } = {}
): Promise<Incident> {
  const { terminal } = context
  const interrupted = context.interruption()
  const outage = watchForOutage(deployment.database, {
    patienceMs: wait ? Infinity : patienceMs,
    onAway: () => terminal.progress('Recorded. Postgres does not answer: trying again …')
  })
  try {
    const incident = await work(deployment, terminal, { id, interrupted, impatient: outage.signal })
    if (incident !== undefined) return incident
  } catch (error) {
    throw new IncidentLeft(id, { cause: error })
  } finally {
    await outage.stop()
  }
  throw refused(`There is no incident ${id}.`)
}

async function work(
  { services: { incidents } }: Deployment,
  terminal: CommandContext['terminal'],
  {
    id,
    interrupted,
    impatient
  }: { readonly id: string; readonly interrupted: AbortSignal; readonly impatient: AbortSignal }
): Promise<Incident | undefined> {
  const incident = await incidents.run(id, {
    signal: AbortSignal.any([interrupted, impatient]),
    onProgress: ({ sessionsRevoked, sessionsExpected }) =>
      terminal.progress(progressBar(sessionsRevoked, sessionsExpected))
  })
  const isToStop = interrupted.aborted && incident?.status === 'running'
  return isToStop ? await incidents.stop(id, operatorOrigin()) : incident
}

/** Exit code 3 unless it is finished: what is left is not revoked, or not known to be. */
export function incidentReport(incident: Incident): Report {
  const isFinished = incident.status === 'finished'
  const proof = incident.receipt === null ? '' : `\n\n${receiptText(incident.receipt)}`
  return {
    value: { incident, receipt: incident.receipt },
    text: `${headline(incident)}\n\n${incidentFields(incident)}${proof}`,
    exit: isFinished ? exitCodes.done : exitCodes.unconfirmed
  }
}

function headline({ id, status, sessionsRevoked }: Incident): string {
  switch (status) {
    case 'finished':
      return `Done: ${sessionsRevoked} sessions are revoked, and that is true on every node.`
    case 'stopped':
      return `Stopped: ${sessionsRevoked} sessions are revoked, and stay so. Go on with: keycard incidents resume ${id}`
    case 'running':
      return `${sessionsRevoked} sessions are revoked so far. Watch it with: keycard incidents show ${id}`
  }
}

export function incidentFields(incident: Incident): string {
  return fields({
    incident: incident.id,
    target: targetText(incident),
    status: incident.status,
    reason: incident.reason,
    sessions: `${incident.sessionsRevoked} revoked, ${incident.sessionsExpected} expected`,
    started: instant(incident.startedAt),
    finished: instant(incident.finishedAt)
  })
}

/** Whom it hits, as `role=admin ipRange=10.0.0.0/8`. */
export function targetText({ target }: Pick<Incident, 'target'>): string {
  const { kind, ...rest } = target
  const criteria = Object.entries(rest).map(([name, value]) => `${name}=${String(value)}`)
  return [kind, ...criteria].join(' ')
}
