import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import { type AuditAction, auditActions } from '../../audit/events.js'
import {
  type AuditFilter,
  auditCursorPattern,
  auditPageSize,
  type RecordedAuditEvent,
  searchAudit
} from '../../audit/search.js'
import { verifyAudit } from '../../audit/verification.js'
import type { Database } from '../../database/connection.js'
import { misuse } from '../command-error.js'
import type { CommandContext, Define } from '../command.js'
import { exitCodes } from '../exit-codes.js'
import { momentOf } from '../moments.js'
import { findAccount } from '../people.js'
import type { Report } from '../report.js'
import { fields, table } from '../table.js'
import { instant } from '../times.js'

interface FilterOptions {
  readonly actor?: string
  readonly subject?: string
  readonly action?: string
  readonly since?: string
  readonly until?: string
  readonly cursor?: string
  readonly limit: string
}

interface TailOptions {
  readonly follow?: boolean
  readonly json?: boolean
  readonly limit: string
}

const pollMs = 500

/** `keycard audit …` */
export function defineAudit(program: Command, define: Define): void {
  const audit = program.command('audit').description('Read the audit log and prove it unchanged.')
  define<TailOptions>(audit, {
    name: 'tail',
    summary: 'show the last events',
    options: (command) =>
      limitOption(command, '20').option(
        '-f, --follow',
        'go on with new events until Ctrl-C, or until nobody reads them; with --json one document per line'
      ),
    run: tail
  })
  define<FilterOptions>(audit, {
    name: 'search',
    summary: 'find events, newest first',
    options: (command) =>
      limitOption(command, '50')
        .option('--actor <id>', 'who did it: an e-mail, an id, or the user@host of an operator')
        .option('--subject <id>', 'what it happened to: an e-mail or an id')
        .option('--action <action>', 'such as user.revoked')
        .option('--since <time>', 'an ISO 8601 time, or an age such as 2h')
        .option('--until <time>', 'an ISO 8601 time, or an age such as 10m')
        .option('--cursor <cursor>', 'the next page, as the page before names it'),
    run: search
  })
  define<{ head?: string }>(audit, {
    name: 'verify',
    summary: 'recompute the chain, and say where it was tampered with',
    options: (command) =>
      command.option(
        '--head <hash>',
        'the hash of the newest log line audit.sealed, or of another batch that you noted'
      ),
    run: verify
  })
}

async function tail(context: CommandContext, options: TailOptions): Promise<Report | undefined> {
  const { database } = await context.open()
  const { events } = await searchAudit(database, { limit: countOf(options.limit) })
  const oldestFirst = [...events].reverse()
  if (options.follow !== true) return eventsReport(oldestFirst, null)
  const signal = AbortSignal.any([context.interruption(), context.terminal.unread])
  const show = (event: RecordedAuditEvent): void => {
    context.terminal.line(options.json === true ? JSON.stringify(event) : lineOf(event))
  }
  oldestFirst.forEach(show)
  // Ids of events that commit late are a little older than the newest: what was shown is remembered.
  let shown = new Set(oldestFirst.map(({ id }) => id))
  while (!signal.aborted) {
    await pause(pollMs, undefined, { signal }).catch(() => undefined)
    const { unshown, newest } = await unshownEvents(database, shown)
    unshown.reverse().forEach(show)
    shown = new Set([...unshown, ...newest].map(({ id }) => id))
  }
  return undefined
}

/** The events that were not shown, however many pages of them there are, newest first. */
async function unshownEvents(database: Database, shown: ReadonlySet<string>) {
  const limit = auditPageSize.max
  const { events: newest, nextCursor } = await searchAudit(database, { limit })
  const unshown = newest.filter(({ id }) => !shown.has(id))
  let cursor = unshown.length === newest.length ? nextCursor : null
  while (shown.size > 0 && cursor !== null) {
    const page = await searchAudit(database, { limit, cursor })
    const fresh = page.events.filter(({ id }) => !shown.has(id))
    unshown.push(...fresh)
    cursor = fresh.length === page.events.length ? page.nextCursor : null
  }
  return { unshown, newest }
}

async function search(context: CommandContext, options: FilterOptions): Promise<Report> {
  const { action, since, until, cursor } = options
  if (cursor !== undefined && !auditCursorPattern.test(cursor)) throw misuse('That is no cursor.')
  const filter: AuditFilter = {
    action: action === undefined ? undefined : actionOf(action),
    since: since === undefined ? undefined : momentOf(since),
    until: until === undefined ? undefined : momentOf(until),
    cursor,
    limit: countOf(options.limit)
  }
  const deployment = await context.open()
  const idOf = async (name: string | undefined) =>
    // An operator's name looks like an address, and has no account.
    name?.includes('@')
      ? ((await findAccount(deployment, name).catch(() => undefined))?.id ?? name)
      : name
  const page = await searchAudit(deployment.database, {
    ...filter,
    actor: await idOf(options.actor),
    subject: await idOf(options.subject)
  })
  return eventsReport(page.events, page.nextCursor)
}

async function verify(context: CommandContext, options: { head?: string }): Promise<Report> {
  const { database, config, clock } = await context.open()
  const { retentionMs } = config.audit
  const result = await verifyAudit({ database, retentionMs, clock, expectedHead: options.head })
  const isWhole = result.findings.length === 0
  const summary = fields({
    batches: result.batches,
    events: result.events,
    'not sealed yet': result.unsealed,
    head: result.head === null ? null : `${result.head.number} ${result.head.hash}`
  })
  const verdict = isWhole
    ? `${result.unproven === null ? 'The audit log' : 'What is there of the audit log'} is whole.`
    : [
        'The audit log was tampered with:',
        ...result.findings.map(({ fault, message }) => `  ${fault}: ${message}`),
        ...(result.furtherFindings > 0 ? [`  and ${result.furtherFindings} more`] : [])
      ].join('\n')
  return {
    value: result,
    text: [verdict, result.unproven, summary].filter((part) => part !== null).join('\n\n'),
    exit: isWhole ? exitCodes.done : exitCodes.failed
  }
}

function eventsReport(events: readonly RecordedAuditEvent[], nextCursor: string | null): Report {
  const head = ['TIME', 'ACTION', 'OUTCOME', 'WHO', 'WHAT', 'FROM', 'REASON']
  const rows = events.map((event) => cellsOf(event))
  const more = nextCursor === null ? '' : `\n\nMore: --cursor ${nextCursor}`
  const text = rows.length === 0 ? 'No event fits.' : `${table(head, rows)}${more}`
  return { value: { events, nextCursor }, text }
}

function cellsOf({ occurredAt, action, outcome, actor, subject, ip, reason }: RecordedAuditEvent) {
  const who = actor.id === null ? actor.kind : `${actor.kind} ${actor.id}`
  const what = subject === null ? null : `${subject.kind} ${subject.id}`
  return [instant(occurredAt), action, outcome, who, what, ip, reason]
}

function lineOf(event: RecordedAuditEvent): string {
  return table(cellsOf(event), [])
}

function limitOption(command: Command, count: string): Command {
  return command.option('--limit <count>', `how many at most, up to ${auditPageSize.max}`, count)
}

function countOf(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= auditPageSize.max) return count
  throw misuse(`--limit takes a whole number from 1 to ${auditPageSize.max}.`)
}

function actionOf(text: string): AuditAction {
  const action = auditActions.find((known) => known === text)
  if (action === undefined) throw misuse(`There is no action ${text}: ${auditActions.join(', ')}.`)
  return action
}
