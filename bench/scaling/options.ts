import { parseArgs } from 'node:util'
import { counted, partsOf, positive } from '../compare/options.js'

export const partNames = [
  'processes',
  'revocations',
  'accounts',
  'payloads',
  'connections'
] as const

export type PartName = (typeof partNames)[number]

export interface ScalingOptions {
  readonly only: readonly PartName[]
  readonly rounds: number
  readonly seconds: number
  readonly warmUpSeconds: number
  /** Requests per second where CPU time per request is measured. */
  readonly rate: number
  /** Connections at saturation. */
  readonly atSaturation: number
  readonly processes: readonly number[]
  /** Live revocations. */
  readonly revocations: readonly number[]
  /** Users, each with a session. */
  readonly accounts: readonly number[]
  /** Connections that are open and idle. */
  readonly connections: readonly number[]
  readonly out: string
}

export const help = `npm run bench:scaling -- [options]

  --only PARTS        of ${partNames.join(', ')}; all by default
  --rounds N          rounds; every step is measured once in each (5)
  --seconds N         how long it is measured in a round (3)
  --warm-up N         how long it is asked before that (1)
  --rate N            requests per second where CPU time is measured (1000)
  --at-saturation N   connections at saturation (64)
  --processes N,N     (1,2,4)
  --revocations N,N   live ones (0,1000,1000000)
  --accounts N,N      users, each with a session (10,100000,1000000)
  --connections N,N   idle ones (0,1000,4000)
  --out FILE          the page; its figures as JSON lie beside it (bench/results/scaling.html)
`

/** @throws TypeError for an option that is none, RangeError for a value that can't be */
export function readOptions(args: readonly string[]): ScalingOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: partNames.join(',') },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      'warm-up': { type: 'string', default: '1' },
      rate: { type: 'string', default: '1000' },
      'at-saturation': { type: 'string', default: '64' },
      processes: { type: 'string', default: '1,2,4' },
      revocations: { type: 'string', default: '0,1000,1000000' },
      accounts: { type: 'string', default: '10,100000,1000000' },
      connections: { type: 'string', default: '0,1000,4000' },
      out: { type: 'string', default: 'bench/results/scaling.html' }
    }
  })
  return {
    only: partsOf(values.only, partNames),
    rounds: counted('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    warmUpSeconds: positive('warm-up', values['warm-up']),
    rate: positive('rate', values.rate),
    atSaturation: counted('at-saturation', values['at-saturation']),
    processes: steps('processes', values.processes, 1),
    revocations: steps('revocations', values.revocations, 0),
    accounts: steps('accounts', values.accounts, 1),
    connections: steps('connections', values.connections, 0),
    out: values.out
  }
}

function steps(name: string, text: string, least: number): number[] {
  return text.split(',').map((step) => {
    const count = Number(step)
    if (Number.isInteger(count) && count >= least) return count
    throw new RangeError(`--${name} takes whole numbers from ${least}, not ${step}`)
  })
}
