import type { Command } from 'commander'
import { insist } from '../../incidents/insist.js'
import type { RevocationTarget } from '../../operators/revocations.js'
import type { Receipt } from '../../revocation/announcer.js'
import { findSession } from '../../sessions/store.js'
import { refused } from '../command-error.js'
import type { CommandContext, Define } from '../command.js'
import { confirmed } from '../confirmation.js'
import type { Deployment } from '../deployment.js'
import { IncidentLeft } from '../incident-left.js'
import { incidentReport, runIncident } from '../incident-run.js'
import { operatorOrigin } from '../operator.js'
import { findAccount, idOf } from '../people.js'
import { receiptText } from '../receipts.js'
import type { Report } from '../report.js'
import { defineRevokeMany } from './revoke-many.js'
import { revocationOptions, type RevocationOptions, waitOption } from '../revocation-options.js'

/** For so long the command looks what else is to be done, once a revocation is confirmed. */
const lookMs = 20_000

/** `keycard revoke …`: what dies, and the receipt that says when that was true everywhere. */
export function defineRevoke(program: Command, define: Define): void {
  const revoke = program
    .command('revoke')
    .summary('revoke a token, a session, a user, a cohort or everyone')
    .description(
      'Revokes, waits until no node accepts any more what was revoked, and prints the receipt. ' +
        'The answer that it is not confirmed yet (exit code 3) is never a reason to revoke again: ' +
        'go on waiting with keycard revoke confirm.'
    )
  define<RevocationOptions>(revoke, {
    name: 'token <jti>',
    summary: 'revoke one access token, by its jti',
    options: revocationOptions,
    run: (context, options, [jti]) => revokeToken(context, options, idOf(jti, 'token'))
  })
  define<RevocationOptions>(revoke, {
    name: 'session <id>',
    summary: 'revoke a session with all of its tokens',
    options: revocationOptions,
    run: (context, options, [id]) => revokeSession(context, options, idOf(id, 'session'))
  })
  define<RevocationOptions>(revoke, {
    name: 'user <email-or-id>',
    summary: 'log a user out everywhere',
    options: revocationOptions,
    run: (context, options, [name = '']) => revokeUser(context, options, name)
  })
  defineRevokeMany(revoke, define)
  define<{ wait?: boolean }>(revoke, {
    name: 'confirm <revocation>',
    summary: 'learn whether a recorded revocation is true everywhere by now',
    options: waitOption,
    run: (context, options, [id]) => confirmRecorded(context, options, idOf(id, 'revocation'))
  })
}

async function revokeToken(
  context: CommandContext,
  options: RevocationOptions,
  jti: string
): Promise<Report> {
  const deployment = await context.open()
  if (options.dryRun) return dryRun(`access token ${jti}`, { tokens: 1 })
  return await kill(context, deployment, options, { kind: 'token', jti })
}

export async function revokeSession(
  context: CommandContext,
  options: RevocationOptions,
  id: string
): Promise<Report> {
  const deployment = await context.open()
  const session = await deployment.database.read((db) => findSession(db, id))
  if (session === undefined) throw noSuch('session', id)
  if (options.dryRun) {
    return dryRun(`session ${id} of user ${session.userId}`, {
      sessions: session.revokedAt ? 0 : 1
    })
  }
  return await kill(context, deployment, options, { kind: 'session', id })
}

async function revokeUser(
  context: CommandContext,
  options: RevocationOptions,
  name: string
): Promise<Report> {
  const deployment = await context.open()
  const { id, email } = await findAccount(deployment, name)
  const sessions = (await deployment.services.sessions.list(id)).length
  if (options.dryRun) return dryRun(`user ${email}`, { sessions })
  const reason = await context.terminal.reason(options.reason)
  const what = `${email} is logged out of ${sessions} session(s), on ${deployment.name}.`
  await context.terminal.confirm(what, email, options.yes === true)
  return await kill(context, deployment, { ...options, reason }, { kind: 'user', id })
}

async function kill(
  context: CommandContext,
  deployment: Deployment,
  options: RevocationOptions,
  target: RevocationTarget
): Promise<Report> {
  const reason = await context.terminal.reason(options.reason)
  const cause = { reason, origin: operatorOrigin() }
  const receipt = await confirmed(deployment, context, options, async () => {
    const outcome = await deployment.services.revocations.revoke(target, cause)
    if (outcome.kind === 'no such target') throw refused(`There is no such ${target.kind}.`)
    return outcome.receipt
  })
  return revoked(receipt, { target, reason })
}

async function confirmRecorded(
  context: CommandContext,
  options: { wait?: boolean },
  id: string
): Promise<Report> {
  const deployment = await context.open()
  const found = await deployment.revocation.find(id)
  if (found === undefined) {
    // A cohort's id is its incident's alone.
    const incident = await deployment.services.incidents.find(id)
    if (incident === undefined) throw noSuch('revocation', id)
    if (incident.status !== 'running') return incidentReport(incident)
    return incidentReport(await runIncident(deployment, context, id, options))
  }
  const receipt = await confirmed(deployment, context, options, () =>
    deployment.revocation.announce(found)
  )
  if (found.kind === 'everyone' && (await isUnderWay(deployment, id))) {
    return incidentReport(await runIncident(deployment, context, id, options))
  }
  const { kind, target, reason } = found
  return revoked(receipt, { target: { kind, id: target }, reason })
}

/** Whether it belongs to an incident, which has its id, that nobody has finished yet. */
async function isUnderWay({ services: { incidents } }: Deployment, id: string): Promise<boolean> {
  try {
    const incident = await insist(AbortSignal.timeout(lookMs), () => incidents.find(id))
    return incident?.status === 'running'
  } catch (error) {
    throw new IncidentLeft(id, { cause: error })
  }
}

function revoked(receipt: Receipt, what: { target: object; reason: string }): Report {
  const text = `Revoked, and true on every node.\n\n${receiptText(receipt)}`
  return { value: { ...what, receipt }, text }
}

function dryRun(what: string, hits: Readonly<Record<string, number>>): Report {
  const counts = Object.entries(hits).map(([name, count]) => `${count} ${name}`)
  const text = `Would revoke ${what}: ${counts.join(', ')}. Nothing was done.`
  return { value: { dryRun: true, hits }, text }
}

function noSuch(what: string, id: string) {
  return refused(`There is no ${what} ${id}.`)
}
