import { parseArgs } from 'node:util'

export const scenarioNames = [
  'verify',
  'refresh',
  'login',
  'mixed',
  'revoke-storm',
  'outage',
  'everyone'
] as const
export type ScenarioName = (typeof scenarioNames)[number]

export interface LoadOptions {
  readonly scenarios: readonly ScenarioName[]
  /** Requests per second; undefined for as many as there can be. */
  readonly perSecond: number | undefined
  readonly seconds: number
  readonly connections: number
  readonly nodes: number
  /** Accounts in the database, and how many of them take part. */
  readonly users: number
  readonly people: number
  readonly mode: 'replica' | 'redis' | 'database'
  /** A deployment that runs already. */
  readonly target: ExistingTarget | undefined
  /** The folder of the reports. */
  readonly out: string
}

export interface ExistingTarget {
  readonly origins: readonly [string, ...string[]]
  readonly databaseUrl: string
  readonly path: string
}

export const help = `npm run load -- [options]

  --scenario NAMES   ${scenarioNames.join(', ')}, or all; separated by commas (verify)
  --rate N           requests per second, due whether or not answers keep up (2000)
  --saturate         no rate: each connection sends its next request when it was answered
  --seconds N        for each scenario (15)
  --connections N    (32)
  --nodes N          processes of Keycard (1)
  --users N          accounts in the database (10000)
  --people N         how many of them take part (500)
  --mode M           REVOCATION_MODE of the nodes: replica, redis or database (replica)
  --target URLS      nodes that run already, for development only; with --database-url, and with
                     JWT_SECRET, REFRESH_SECRET and JWT_ISSUER of theirs in the environment
  --path P           the protected route of the target (/api/auth/sessions)
  --out FOLDER       where the reports go (bench/reports)

The run fails when a token was accepted that had been revoked before it was sent.
`

/** What is wrong with the arguments, in a sentence. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** @returns undefined where help was asked for. @throws UsageError */
export function readOptions(args: readonly string[]): LoadOptions | undefined {
  const { values } = parsed(args)
  if (values.help === true) return undefined
  const mode = oneOf('mode', values.mode, ['replica', 'redis', 'database'])
  return {
    scenarios: scenariosOf(values.scenario),
    perSecond: values.saturate === true ? undefined : whole('rate', values.rate),
    seconds: whole('seconds', values.seconds),
    connections: whole('connections', values.connections),
    nodes: whole('nodes', values.nodes),
    // Each scenario has people of its own.
    users: Math.max(
      whole('users', values.users),
      whole('people', values.people) * scenarioNames.length + 1
    ),
    people: whole('people', values.people),
    mode,
    target: targetOf(values.target, values['database-url'], values.path),
    out: values.out
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        scenario: { type: 'string', default: 'verify' },
        rate: { type: 'string', default: '2000' },
        saturate: { type: 'boolean' },
        seconds: { type: 'string', default: '15' },
        connections: { type: 'string', default: '32' },
        nodes: { type: 'string', default: '1' },
        users: { type: 'string', default: '10000' },
        people: { type: 'string', default: '500' },
        mode: { type: 'string', default: 'replica' },
        target: { type: 'string' },
        'database-url': { type: 'string' },
        path: { type: 'string', default: '/api/auth/sessions' },
        out: { type: 'string', default: 'bench/reports' },
        help: { type: 'boolean', short: 'h' }
      }
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function scenariosOf(text: string): readonly ScenarioName[] {
  if (text === 'all') return scenarioNames
  const wanted = text.split(',').map((name) => oneOf('scenario', name.trim(), scenarioNames))
  // In this order: after 'everyone' nobody who has not logged in again has a session.
  return scenarioNames.filter((name) => wanted.includes(name))
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value)
  if (found === undefined) throw new UsageError(`--${option} is one of ${allowed.join(', ')}`)
  return found
}

function whole(option: string, value: string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new UsageError(`--${option} is a whole number from 1 on`)
  }
  return number
}

function targetOf(
  origins: string | undefined,
  databaseUrl: string | undefined,
  path: string
): ExistingTarget | undefined {
  if (origins === undefined) return undefined
  if (databaseUrl === undefined) {
    throw new UsageError('--target needs --database-url: accounts are made there')
  }
  const [first = '', ...others] = origins.split(',')
  return { origins: [first, ...others], databaseUrl, path }
}
