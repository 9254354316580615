import type { Command } from 'commander'
import { DatabaseUnavailable } from '../../database/connection.js'
import type { Estimate } from '../../incidents/incidents.js'
import type { IncidentTarget } from '../../incidents/target.js'
import { type Receipt, RevocationUnconfirmed } from '../../revocation/announcer.js'
import { refused } from '../command-error.js'
import type { CommandContext, Define } from '../command.js'
import { confirmed } from '../confirmation.js'
import type { Deployment } from '../deployment.js'
import { incidentReport, runIncident, targetText } from '../incident-run.js'
import { startIncident, tooManySpared } from '../incident-start.js'
import {
  type CohortOptions,
  cohortOptions,
  cohortTarget,
  everyoneTarget,
  type SpareOptions,
  spareOptions
} from '../incident-target.js'
import type { Report } from '../report.js'
import { revocationOptions, type RevocationOptions } from '../revocation-options.js'
import { duration } from '../times.js'

/** `keycard revoke everyone` and `keycard revoke cohort`: the incident switch. */
export function defineRevokeMany(revoke: Command, define: Define): void {
  define<RevocationOptions & SpareOptions>(revoke, {
    name: 'everyone',
    summary: 'log everybody out: every session and token there is',
    options: (command) => spareOptions(revocationOptions(command)),
    run: revokeEveryone
  })
  define<RevocationOptions & CohortOptions>(revoke, {
    name: 'cohort',
    summary: 'revoke all sessions for which everything given is true',
    description:
      'Revokes all sessions for which everything given is true, in batches, and waits until that is true everywhere. Ctrl-C stops it between two batches; keycard incidents resume goes on.',
    options: (command) => cohortOptions(revocationOptions(command)),
    run: revokeCohort
  })
}

async function revokeEveryone(
  context: CommandContext,
  options: RevocationOptions & SpareOptions
): Promise<Report> {
  return await revokeMany(context, options, {
    targetIn: (deployment) => everyoneTarget(deployment, options),
    who: () => 'Everybody',
    confirmation: () => 'everyone',
    // Everything is dead by now; what is left is to learn when that is true everywhere, and who is late.
    onStarted: (deployment, id) =>
      confirmed(deployment, context, options, () => announce(deployment, id))
  })
}

async function revokeCohort(
  context: CommandContext,
  options: RevocationOptions & CohortOptions
): Promise<Report> {
  return await revokeMany(context, options, {
    targetIn: (deployment) => cohortTarget(deployment, options),
    who: (target) => targetText({ target }),
    confirmation: ({ sessions }) => String(sessions)
  })
}

interface Switch {
  readonly targetIn: (deployment: Deployment) => Promise<IncidentTarget>
  /** As in "… is logged out". */
  readonly who: (target: IncidentTarget) => string
  /** What has to be typed. */
  readonly confirmation: (estimate: Estimate) => string
  readonly onStarted?: (deployment: Deployment, id: string) => Promise<unknown>
}

async function revokeMany(
  context: CommandContext,
  options: RevocationOptions,
  { targetIn, who, confirmation, onStarted }: Switch
): Promise<Report> {
  const deployment = await context.open()
  const target = await targetIn(deployment)
  const estimate = await deployment.services.incidents.estimate(target)
  if (deployment.services.incidents.sparesTooMany(target, estimate)) throw tooManySpared()
  if (options.dryRun) return dryRun(target, estimate)
  const reason = await context.terminal.reason(options.reason)
  const what = `${who(target)} is logged out, on ${deployment.name}: ${inWords(estimate)}`
  await context.terminal.confirm(what, confirmation(estimate), options.yes === true)
  const id = await startIncident(deployment, target, reason)
  await onStarted?.(deployment, id)
  return incidentReport(await runIncident(deployment, context, id, options))
}

async function announce({ revocation }: Deployment, id: string): Promise<Receipt> {
  const recorded = await revocation.find(id).catch((error: unknown) => {
    throw error instanceof DatabaseUnavailable
      ? new RevocationUnconfirmed(id, [], { cause: error })
      : error
  })
  if (recorded === undefined) throw refused(`There is no revocation ${id}.`)
  return await revocation.announce(recorded)
}

function dryRun(target: IncidentTarget, estimate: Estimate): Report {
  const text = `Would hit ${targetText({ target })}: ${inWords(estimate)} Nothing was done.`
  const { sessions, accounts, spared } = estimate
  return { value: { dryRun: true, target, hits: { sessions, accounts, spared }, estimate }, text }
}

function inWords({ sessions, accounts, spared, nodes, ...logins }: Estimate): string {
  const { hashesPerSecond, estimatedLoginSeconds } = logins
  return (
    `${sessions} sessions of ${accounts} accounts${spared > 0 ? `, ${spared} spared` : ''}. ` +
    `Until all have logged in again, ${nodes} node(s) need ${duration(estimatedLoginSeconds * 1_000)}, at ${hashesPerSecond.toFixed(1)} password hashes per second.`
  )
}
