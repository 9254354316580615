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

/** Requests per second that two cores answer with room to spare, where none are asked for. */
const usualRates: Readonly<Record<ScenarioName, number>> = {
  verify: 2_000,
  refresh: 200,
  login: 20,
  mixed: 1_000,
  'revoke-storm': 1_000,
  outage: 1_000,
  everyone: 1_000
}

export interface LoadOptions {
  readonly scenarios: readonly ScenarioName[]
  /** Requests per second, those that suit the scenario, or as many as there can be. */
  readonly rate: number | 'usual' | 'saturation'
  readonly seconds: number
  readonly warmUpSeconds: number
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
  --rate N           requests per second, due whether or not answers keep up
                     (verify 2000, refresh 200, login 20, others 1000)
  --saturate         no rate: each connection sends its next request when it was answered
  --seconds N        for each scenario, at most 3000 (15)
  --warm-up N        seconds before each of them that don't count (1.5)
  --connections N    at first; those of a rate become more where answers don't keep up (32)
  --nodes N          processes of Keycard (1)
  --users N          accounts in the database (10000)
  --people N         how many of them take part; in storms, each of them logs out (1000)
  --mode M           REVOCATION_MODE of the nodes: replica, redis or database (replica)
  --target URLS      nodes that run already, for development only and with RATE_LIMIT=off; needs
                     --database-url, and their JWT_SECRET, REFRESH_SECRET and JWT_ISSUER in the
                     environment. Accounts are made in that database and removed afterwards.
  --path P           the protected route of the target (/api/auth/sessions)
  --out FOLDER       where the reports go (bench/reports)

The run fails (1) when a token was accepted in a request that was sent after its revocation had been
answered, and when a token was refused as revoked that nobody had revoked.
`

/** Requests per second of a scenario; undefined at saturation. */
export function rateOf({ rate }: LoadOptions, name: ScenarioName): number | undefined {
  if (rate === 'saturation') return undefined
  return rate === 'usual' ? usualRates[name] : rate
}

/** What is wrong with the arguments, in a sentence. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** @returns undefined where help was asked for. @throws UsageError */
export function readOptions(args: readonly string[]): LoadOptions | undefined {
  const { values } = parsed(args)
  if (values.help === true) return undefined
  const mode = oneOf('mode', values.mode, ['replica', 'redis', 'database'])
  const target = targetOf(values.target, values['database-url'], values.path)
  return {
    scenarios: scenariosOf(values.scenario, target),
    rate: values.saturate === true ? 'saturation' : rateIn(values.rate),
    seconds: secondsIn(values.seconds),
    warmUpSeconds: warmUpIn(values['warm-up']),
    connections: whole('connections', values.connections),
    nodes: whole('nodes', values.nodes),
    // Each scenario has people of its own.
    users: Math.max(
      whole('users', values.users),
      whole('people', values.people) * scenarioNames.length + 1
    ),
    people: whole('people', values.people),
    mode,
    target,
    out: values.out
  }
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        scenario: { type: 'string', default: 'verify' },
        rate: { type: 'string' },
        saturate: { type: 'boolean' },
        seconds: { type: 'string', default: '15' },
        'warm-up': { type: 'string', default: '1.5' },
        connections: { type: 'string', default: '32' },
        nodes: { type: 'string', default: '1' },
        users: { type: 'string', default: '10000' },
        people: { type: 'string', default: '1000' },
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

function scenariosOf(text: string, target: unknown): readonly ScenarioName[] {
  if (text === 'all') {
    return scenarioNames.filter((name) => target === undefined || name !== 'outage')
  }
  const wanted = text.split(',').map((name) => oneOf('scenario', name.trim(), scenarioNames))
  if (target !== undefined && wanted.includes('outage')) {
    throw new UsageError('outage is not for a --target: its Redis is not ours to kill')
  }
  // In this order: after 'everyone' nobody who has not logged in again has a session.
  return scenarioNames.filter((name) => wanted.includes(name))
}

function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value)
  if (found === undefined) throw new UsageError(`--${option} is one of ${allowed.join(', ')}`)
  return found
}

function rateIn(value: string | undefined): number | 'usual' {
  return value === undefined ? 'usual' : whole('rate', value)
}

function secondsIn(value: string): number {
  const seconds = whole('seconds', value)
  // The tokens of a run live for an hour.
  if (seconds > 3_000) throw new UsageError('--seconds is at most 3000')
  return seconds
}

function warmUpIn(value: string): number {
  const seconds = Number(value)
  // Some must be, to see that the target lets anybody in.
  if (!(seconds >= 0.1 && seconds <= 60)) {
    throw new UsageError('--warm-up is a number of seconds from 0.1 to 60')
  }
  return seconds
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
