import { parseArgs } from 'node:util'

export const partNames = [
  'verify-open',
  'verify-saturation',
  'login',
  'refresh',
  'everyone'
] as const

export type PartName = (typeof partNames)[number]

export interface CompareOptions {
  readonly only: readonly PartName[]
  readonly rounds: number
  /** How long each contender is measured in each round. */
  readonly seconds: number
  /** How long each is asked before it is measured, in each round. */
  readonly warmUpSeconds: number
  /** Requests per second of the open loop. */
  readonly rates: readonly number[]
  /** Connections of a load that saturates the contender. */
  readonly connections: number
  /** Refreshes under way at once, of Keycard, pgbench and better-auth alike. */
  readonly refreshClients: number
  /** Nodes of the deployment on which everyone is revoked. */
  readonly nodes: number
  /** How many times everyone is revoked. */
  readonly revocations: number
  /** The file of the report; the Markdown lies beside it. */
  readonly out: string
}

export const help = `npm run bench:compare -- [options]

  --only PARTS        of ${partNames.join(', ')}; all by default
  --rounds N          rounds; every contender is measured once in each (5)
  --seconds N         how long it is measured in a round (5)
  --warm-up N         how long it is asked before that (2)
  --rates N,N         requests per second of the open loop (2000,5000)
  --connections N     connections at saturation (64)
  --refresh-clients N refreshes at once (16)
  --nodes N           nodes on which everyone is revoked (2)
  --revocations N     how often everyone is revoked (100)
  --out FILE          the report (bench/results/compare.json)
`

/** @throws TypeError for an option that is none, RangeError for a value that can't be */
export function readOptions(args: readonly string[]): CompareOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: partNames.join(',') },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '5' },
      'warm-up': { type: 'string', default: '2' },
      rates: { type: 'string', default: '2000,5000' },
      connections: { type: 'string', default: '64' },
      'refresh-clients': { type: 'string', default: '16' },
      nodes: { type: 'string', default: '2' },
      revocations: { type: 'string', default: '100' },
      out: { type: 'string', default: 'bench/results/compare.json' }
    }
  })
  return {
    only: partsOf(values.only, partNames),
    rounds: counted('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    warmUpSeconds: positive('warm-up', values['warm-up']),
    rates: values.rates.split(',').map((rate) => positive('rates', rate)),
    connections: counted('connections', values.connections),
    refreshClients: counted('refresh-clients', values['refresh-clients']),
    nodes: counted('nodes', values.nodes),
    revocations: counted('revocations', values.revocations),
    out: values.out
  }
}

/** The parts that `--only` names, separated by commas. */
export function partsOf<Name extends string>(text: string, names: readonly Name[]): Name[] {
  return text.split(',').map((name) => {
    const known = names.find((candidate) => candidate === name)
    if (known !== undefined) return known
    throw new RangeError(`--only knows ${names.join(', ')}, not ${name}`)
  })
}

/** A whole number above 0. */
export function counted(name: string, text: string): number {
  const count = positive(name, text)
  if (!Number.isInteger(count))
    throw new RangeError(`--${name} must be a whole number, not ${text}`)
  return count
}

/** A number above 0. */
export function positive(name: string, text: string): number {
  const number = Number(text)
  if (!(number > 0)) throw new RangeError(`--${name} must be a number above 0, not ${text}`)
  return number
}
