import type { Command } from 'commander'
import { type AuditEvent, recordAudit } from '../../audit/events.js'
import type { Config } from '../../config.js'
import { DatabaseUnavailable } from '../../database/connection.js'
import { loadKeyMaterial } from '../../startup/key-material.js'
import { generateKey } from '../../tokens/key-generation.js'
import { activateKey, retireKey, stagedKeys, stageKey } from '../../tokens/key-ring-edit.js'
import type { KeyRingEntry } from '../../tokens/key-ring-entry.js'
import { CommandError, misuse, refused } from '../command-error.js'
import type { CommandContext, Define } from '../command.js'
import { commandConfig, type Deployment } from '../deployment.js'
import { exitCodes } from '../exit-codes.js'
import { changeKeyRingFile, readKeyRingFile } from '../key-ring-file.js'
import { operatorOrigin } from '../operator.js'
import type { Report } from '../report.js'
import { reasonOption, yesOption } from '../revocation-options.js'
import { table } from '../table.js'

interface RotateOptions {
  readonly stage?: boolean
  readonly activate?: string | true
}

interface RetireOptions {
  readonly reason?: string
  readonly yes?: boolean
}

const reload =
  'Bring the file to every node and send each of them SIGHUP (docker compose kill -s HUP api-1 api-2): until then they go on with the old ring.'

/** `keycard keys …`: the key ring in JWT_KEYS_FILE. Never shows a key. */
export function defineKeys(program: Command, define: Define): void {
  const keys = program.command('keys').description('List, rotate and retire the keys that sign.')
  define(keys, {
    name: 'list',
    summary: 'list the keys of the ring',
    run: (context) => list(commandConfig(context))
  })
  define<RotateOptions>(keys, {
    name: 'rotate',
    summary: 'let a new key sign, while the old one goes on verifying',
    description:
      'Lets a new key sign, while the old one goes on verifying. Where other services verify by the published keys, do it in two steps: --stage lets them learn the new key before it signs, and --activate lets it sign when they have (an hour later, say).',
    options: (command) =>
      command
        .option('--stage', 'add a new key that only verifies so far')
        .option('--activate [kid]', 'let the staged key sign'),
    run: rotate
  })
  define<RetireOptions>(keys, {
    name: 'retire <kid>',
    summary: 'believe a key no more: every access token that it signed dies',
    description:
      'Believes a key no more. Every access token that it signed dies as soon as the nodes have read the ring again; sessions live on, and get a new token when they refresh. A key that signs is replaced by a new one.',
    options: (command) => yesOption(reasonOption(command)),
    run: (context, options, [kid = '']) => retire(context, options, kid)
  })
}

async function list(config: Config): Promise<Report> {
  const { keysFile } = config.jwt
  const entries =
    keysFile === undefined
      ? (await loadKeyMaterial(config)).keyRing.keys.map(({ kid, algorithm, status }) => ({
          kid,
          alg: algorithm,
          status
        }))
      : await readKeyRingFile(keysFile)
  const keys = entries.map(({ kid, alg, status }) => ({ kid, algorithm: alg, status }))
  const rows = keys.map(({ kid, algorithm, status }) => [kid, algorithm, status])
  return { value: { keys }, text: table(['KID', 'ALGORITHM', 'STATUS'], rows) }
}

async function rotate(context: CommandContext, options: RotateOptions): Promise<Report> {
  if (options.stage && options.activate) throw misuse('Give --stage or --activate, not both.')
  const deployment = await context.open()
  const { algorithm } = deployment.config.jwt
  if (options.activate) {
    const asked = options.activate === true ? undefined : options.activate
    let kid = ''
    await change(deployment, (entries) => {
      kid = asked ?? onlyStaged(entries)
      return activateKey(entries, kid)
    })
    await audit(deployment, 'key.rotated', kid, null, { step: 'activated', algorithm })
    return rotated(kid, 'signs from now on')
  }
  const next = await generateKey(algorithm)
  const { kid } = next
  if (options.stage) {
    await change(deployment, (entries) => stageKey(entries, next))
    await audit(deployment, 'key.rotated', kid, null, { step: 'staged', algorithm })
    return rotated(kid, 'verifies from now on', `Later: keycard keys rotate --activate ${kid}`)
  }
  if (algorithm !== 'HS256') {
    context.terminal.note(
      'Services that verify by the published keys refuse tokens of the new key until they have read them again: with such services use --stage and --activate.'
    )
  }
  await change(deployment, (entries) => activateKey(stageKey(entries, next), kid))
  await audit(deployment, 'key.rotated', kid, null, { step: 'activated', algorithm })
  return rotated(kid, 'signs from now on')
}

async function retire(
  context: CommandContext,
  options: RetireOptions,
  kid: string
): Promise<Report> {
  const deployment = await context.open()
  const { algorithm } = deployment.config.jwt
  const entries = await readKeyRingFile(fileOf(deployment))
  const signs = entries.some((entry) => entry.kid === kid && entry.status === 'active')
  const successor = signs ? await generateKey(algorithm) : undefined
  // Found out before anybody is asked to confirm it.
  const retired = (current: readonly KeyRingEntry[]) =>
    retireKey(
      successor === undefined ? current : activateKey(stageKey(current, successor), successor.kid),
      kid
    )
  retired(entries)
  const what = signs
    ? `${kid} is the key that signs: every access token there is dies, and a new key takes over.`
    : `Every access token that ${kid} signed dies.`
  const reason = await context.terminal.reason(options.reason)
  await context.terminal.confirm(what, kid, options.yes === true)
  await change(deployment, retired)
  await audit(deployment, 'key.retired', kid, reason, { algorithm, successor: successor?.kid })
  const now = successor === undefined ? '' : `\n${successor.kid} signs from now on.`
  return {
    value: { retired: kid, active: successor?.kid ?? null, reason },
    text: `${kid} is retired.${now}\n${reload}`
  }
}

function onlyStaged(entries: readonly KeyRingEntry[]): string {
  const [kid, ...others] = stagedKeys(entries)
  if (kid === undefined) throw refused('No key is staged: keycard keys rotate --stage adds one.')
  if (others.length === 0) return kid
  throw misuse(
    `More than one key could sign: give --activate one of ${[kid, ...others].join(', ')}.`
  )
}

async function change(
  deployment: Deployment,
  edit: (entries: readonly KeyRingEntry[]) => KeyRingEntry[]
): Promise<void> {
  await changeKeyRingFile(fileOf(deployment), deployment.config.jwt.algorithm, edit)
}

function fileOf({ config }: Deployment): string {
  const { keysFile } = config.jwt
  if (keysFile !== undefined) return keysFile
  throw refused(
    'There is no JWT_KEYS_FILE: the keys come from JWT_SECRET or the data directory, and change there.'
  )
}

/** The ring is what counts: in an emergency it changes even where the audit can't be written. */
async function audit(
  { database, clock }: Deployment,
  action: 'key.rotated' | 'key.retired',
  kid: string,
  reason: string | null,
  details: Readonly<Record<string, unknown>>
): Promise<void> {
  const event: AuditEvent = {
    action,
    outcome: 'success',
    origin: operatorOrigin(),
    subject: { kind: 'key', id: kid },
    userId: null,
    reason,
    details
  }
  try {
    await database.write((db) => recordAudit(db, event, new Date(clock())))
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable)) throw error
    throw new CommandError(
      exitCodes.unavailable,
      `The key ring is changed (${action} ${kid}), but Postgres does not answer and the audit lacks it: note it down. ${reload}`,
      { cause: error }
    )
  }
}

function rotated(kid: string, what: string, next?: string): Report {
  const text = [`${kid} ${what}.`, reload, next].filter((line) => line !== undefined).join('\n')
  return { value: { kid, status: what.startsWith('signs') ? 'active' : 'verify' }, text }
}
