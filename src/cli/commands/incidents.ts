import type { Command } from 'commander'
import type { Incident } from '../../incidents/store.js'
import { refused } from '../command-error.js'
import type { CommandContext, Define } from '../command.js'
import { incidentFields, incidentReport, runIncident, targetText } from '../incident-run.js'
import { operatorOrigin } from '../operator.js'
import { idOf } from '../people.js'
import { receiptText } from '../receipts.js'
import type { Report } from '../report.js'
import { waitOption } from '../revocation-options.js'
import { table } from '../table.js'
import { instant } from '../times.js'

/** `keycard incidents …`: what was started with revoke everyone or revoke cohort, here or over HTTP. */
export function defineIncidents(program: Command, define: Define): void {
  const incidents = program.command('incidents').description('Watch, stop and resume incidents.')
  define(incidents, {
    name: 'list',
    summary: 'list incidents, newest first',
    run: list
  })
  define(incidents, {
    name: 'show <id>',
    summary: 'show whom an incident hits, how far it is, and its receipt',
    run: (context, _options, [id]) => show(context, idOf(id, 'incident'))
  })
  define(incidents, {
    name: 'stop <id>',
    summary: 'stop an incident between two batches; what was revoked stays revoked',
    run: (context, _options, [id]) => stop(context, idOf(id, 'incident'))
  })
  define<{ wait?: boolean }>(incidents, {
    name: 'resume <id>',
    summary: 'go on with an incident, from here, until it is true everywhere',
    options: waitOption,
    run: (context, options, [id]) => resume(context, options, idOf(id, 'incident'))
  })
}

async function list({ open }: CommandContext): Promise<Report> {
  const { services } = await open()
  const incidents = await services.incidents.list()
  const rows = incidents.map((incident) => [
    incident.id,
    incident.status,
    targetText(incident),
    `${incident.sessionsRevoked}/${incident.sessionsExpected}`,
    instant(incident.startedAt),
    incident.reason
  ])
  const head = ['INCIDENT', 'STATUS', 'TARGET', 'SESSIONS', 'STARTED', 'REASON']
  return { value: { incidents }, text: rows.length === 0 ? 'No incident.' : table(head, rows) }
}

async function show({ open }: CommandContext, id: string): Promise<Report> {
  const { services } = await open()
  const incident = existing(await services.incidents.find(id), id)
  const proof = incident.receipt === null ? '' : `\n\n${receiptText(incident.receipt)}`
  return { value: { incident }, text: `${incidentFields(incident)}${proof}` }
}

async function stop({ open }: CommandContext, id: string): Promise<Report> {
  const { services } = await open()
  const incident = existing(await services.incidents.stop(id, operatorOrigin()), id)
  if (incident.status === 'finished') throw refused(`The incident ${id} is finished already.`)
  return { value: { incident }, text: incidentFields(incident) }
}

async function resume(
  context: CommandContext,
  options: { wait?: boolean },
  id: string
): Promise<Report> {
  const deployment = await context.open()
  existing(await deployment.services.incidents.resume(id, operatorOrigin()), id)
  return incidentReport(await runIncident(deployment, context, id, options))
}

function existing(incident: Incident | undefined, id: string): Incident {
  if (incident === undefined) throw refused(`There is no incident ${id}.`)
  return incident
}
