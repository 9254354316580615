import { ask, type Asked, assertAll, closed, open } from '../compare/loads.js'
import { meterCpu, sumOf } from '../compare/meter.js'
import type { RoundsByName, Sample } from '../compare/report.js'
import { inRounds } from '../compare/rounds.js'
import { median, ratioOfRounds } from '../compare/statistics.js'
import type { Processes } from '../compare/variants.js'
import type { Context } from './context.js'

/** One step of a scale, or one of several at it. */
export interface Step {
  readonly name: string
  readonly measure: () => Promise<Sample>
}

/** Measures all steps in rounds, after one that does not count, and says what each came to. */
export async function inSteps(
  { options, say }: Context,
  id: string,
  steps: readonly Step[],
  onRound: (rounds: RoundsByName) => Promise<void>
): Promise<void> {
  // Whoever is measured first would pay for what is compiled then.
  for (const { measure } of steps) await measure()
  await inRounds({
    contenders: steps,
    rounds: options.rounds,
    measure: ({ measure }) => measure(),
    onSample: (round, { name }, sample) => {
      const figures = Object.entries(sample).map(([key, value]) => `${key} ${value.toFixed(2)}`)
      say(`${id} ${round + 1}/${options.rounds}  ${name}: ${figures.join(', ')}`)
    },
    onRound
  })
}

/** CPU time and latency of a request at the fixed rate. */
export async function atRate(
  { options }: Context,
  asked: Asked,
  processes: Processes
): Promise<Sample> {
  const load = { mode: open(options.rate), connections: 128 }
  await ask(asked, { ...load, seconds: options.warmUpSeconds })
  const stop = meterCpu(processes)
  const figures = await ask(asked, { ...load, seconds: options.seconds })
  const cpuUs = sumOf(stop()) / figures.answers
  assertAll(200, asked.url, figures)
  return { cpuUs, p50Ms: figures.p50Ms, p99Ms: figures.p99Ms }
}

/** How much several servers answer together. */
export async function atSaturation(
  { options }: Context,
  asked: readonly Asked[],
  processes: Processes
): Promise<Sample> {
  const load = { mode: closed, connections: options.atSaturation }
  await ask(asked, { ...load, seconds: options.warmUpSeconds })
  const stop = meterCpu(processes)
  const figures = await ask(asked, { ...load, seconds: options.seconds })
  const cpuUs = sumOf(stop()) / figures.answers
  assertAll(200, 'A protected request', figures)
  return { perSecond: figures.perSecond, cpuUs, clientBusy: figures.clientBusy }
}

/** The medians of one figure, step by step. */
export function mediansOf(rounds: RoundsByName, names: readonly string[], key: string): number[] {
  return names.map((name) => median(figuresOf(rounds, name, key)))
}

/** The ratios of one figure to that of the first step, step by step. */
export function ratiosOf(rounds: RoundsByName, names: readonly string[], key: string): number[] {
  const first = figuresOf(rounds, names[0] ?? '', key)
  return names.map((name) => ratioOfRounds(figuresOf(rounds, name, key), first))
}

export function figuresOf(rounds: RoundsByName, name: string, key: string): number[] {
  return (rounds.get(name) ?? []).map((sample) => sample[key] ?? NaN)
}

export const inWords = (step: number): string => step.toLocaleString('en')
