import { createRandom, type Random } from './random.js'

/** Something to do to the deployment; times in ms. */
export type Plan =
  | { readonly kind: 'freeze nodes' | 'kill nodes'; readonly nodes: number[]; readonly ms: number }
  | { readonly kind: 'block event loops'; readonly nodes: number[]; readonly blocks: number }
  | { readonly kind: 'cut redis' | 'cut postgres'; readonly nodes: number[]; readonly ms: number }
  | {
      readonly kind: 'delay redis' | 'delay postgres'
      readonly nodes: number[]
      readonly ms: number
      readonly delayMs: number
    }
  | {
      readonly kind:
        'restart redis' | 'empty redis' | 'freeze redis' | 'restart postgres' | 'freeze postgres'
      readonly ms: number
    }
  | { readonly kind: 'flush redis' }
  /** It comes back with what it held so long before it died. */
  | { readonly kind: 'redis from an old snapshot'; readonly ageMs: number; readonly ms: number }
  /** The old primary goes on answering for `lingerMs` to those that are connected to it. */
  | { readonly kind: 'redis failover'; readonly lagMs: number; readonly lingerMs: number }

export type FaultKind = Plan['kind']

/** Faults that begin at the given offsets from each other, and the pause when all are over. */
export interface Round {
  readonly faults: readonly { readonly afterMs: number; readonly plan: Plan }[]
  readonly pauseMs: number
}

const onNodes = ['freeze nodes', 'kill nodes', 'block event loops'] as const
const onPostgres = [
  'restart postgres',
  'freeze postgres',
  'cut postgres',
  'delay postgres'
] as const
const onRedis = [
  'restart redis',
  'empty redis',
  'redis from an old snapshot',
  'redis failover',
  'flush redis',
  'freeze redis',
  'cut redis',
  'delay redis'
] as const

export interface ScheduleOptions {
  readonly seed: number
  readonly nodes: number
  readonly redis: boolean
  /** These one by one and no others; without it, whatever comes, without end. */
  readonly kinds?: readonly FaultKind[]
}

/** The seed alone decides what happens, to whom and for how long. */
export function* schedule({ seed, nodes, redis, kinds }: ScheduleOptions): Generator<Round> {
  const random = createRandom(seed)
  if (kinds !== undefined) {
    for (const kind of kinds) yield round(random, [draw(random, kind, nodes)])
    return
  }
  const onServers = redis ? [...onRedis, ...onPostgres] : onPostgres
  for (;;) {
    const lane = random.pick([onNodes, onServers, onServers])
    const other = lane === onNodes ? onServers : onNodes
    const isDouble = random.chance(0.35)
    const drawn = isDouble ? [random.pick(lane), random.pick(other)] : [random.pick(lane)]
    yield round(
      random,
      drawn.map((kind) => draw(random, kind, nodes))
    )
  }
}

function round(random: Random, plans: Plan[]): Round {
  const faults = plans.map((plan, index) => ({
    afterMs: index === 0 ? 0 : random.integer(0, 1_500),
    plan
  }))
  return { faults, pauseMs: random.integer(300, 2_000) }
}

function draw(random: Random, kind: FaultKind, count: number): Plan {
  const all = Array.from({ length: count }, (_, node) => node)
  const some = (most: number) => random.sample(all, random.integer(1, Math.min(most, count)))
  switch (kind) {
    case 'freeze nodes':
      return { kind, nodes: some(count - 1), ms: random.integer(700, 3_500) }
    case 'kill nodes':
      return { kind, nodes: some(2), ms: random.integer(100, 2_000) }
    case 'block event loops':
      return { kind, nodes: some(count), blocks: random.integer(1, 3) }
    case 'cut redis':
    case 'cut postgres':
      return { kind, nodes: some(count), ms: random.integer(200, 3_000) }
    case 'delay redis':
    case 'delay postgres':
      return {
        kind,
        nodes: some(count),
        ms: random.integer(500, 3_000),
        delayMs: random.integer(20, 600)
      }
    case 'restart redis':
    case 'empty redis':
    case 'freeze redis':
    case 'restart postgres':
    case 'freeze postgres':
      return { kind, ms: random.integer(100, 2_500) }
    case 'flush redis':
      return { kind }
    case 'redis from an old snapshot':
      return { kind, ageMs: random.integer(500, 3_000), ms: random.integer(50, 1_000) }
    case 'redis failover':
      return { kind, lagMs: random.integer(300, 2_500), lingerMs: random.integer(0, 2_000) }
  }
}
