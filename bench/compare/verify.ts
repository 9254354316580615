import type { Context, Part } from './context.js'
import { ask, assertAll, closed, open } from './loads.js'
import { meterCpu, sumOf } from './meter.js'
import {
  type Column,
  type Goal,
  type RoundsByName,
  rowsOf,
  type Sample,
  timesOf
} from './report.js'
import { inRounds } from './rounds.js'
import { type Contender, verifyVariants } from './variants.js'

const baseline = 'bare Fastify'
const replica = 'Keycard replica'
/** Enough that a request never waits for a connection below saturation. */
const openConnections = 128

const openColumns: readonly Column[] = [
  { key: 'cpuUs', label: 'CPU µs/request', digits: 1, ratio: true },
  { key: 'serverUs', label: 'server', digits: 1 },
  { key: 'redisUs', label: 'Redis', digits: 1 },
  { key: 'postgresUs', label: 'Postgres', digits: 1 },
  { key: 'p50Ms', label: 'p50 ms', digits: 2, ratio: true },
  { key: 'p99Ms', label: 'p99 ms', digits: 2, ratio: true },
  { key: 'perSecond', label: 'answers/s', digits: 0 }
]

const saturationColumns: readonly Column[] = [
  { key: 'perSecond', label: 'requests/s', digits: 0, ratio: true },
  { key: 'cpuUs', label: 'CPU µs/request', digits: 1, ratio: true },
  { key: 'p99Ms', label: 'p99 ms', digits: 2, ratio: true },
  { key: 'clientBusy', label: 'client busy', digits: 2 }
]

/** What a protected request costs at a fixed rate, and how long it takes. */
export const verifyOpen: Part = async (context) => {
  const contenders = await startAll(context)
  for (const rate of context.options.rates) {
    await compare(context, contenders, {
      id: `verify-open-${rate}`,
      title: `A protected request, open loop at ${rate.toLocaleString('en')}/s`,
      columns: openColumns,
      measure: (contender) => measureOpen(context, contender, rate),
      goalsOf: (rounds) => openGoals(rounds, rate)
    })
  }
}

/** How many protected requests one process answers. */
export const verifySaturation: Part = async (context) => {
  await compare(context, await startAll(context), {
    id: 'verify-saturation',
    title: `Protected requests at saturation, ${context.options.connections} connections`,
    columns: saturationColumns,
    measure: (contender) => measureSaturation(context, contender),
    goalsOf: saturationGoals
  })
}

/** One after the other, as starting takes what the others would be measured with. */
async function startAll(context: Context): Promise<Contender[]> {
  const contenders: Contender[] = []
  for (const { name, start } of verifyVariants) {
    context.say(`starting ${name}`)
    const contender = await start(context)
    // Its code is compiled by then.
    const { connections, warmUpSeconds: seconds } = context.options
    await ask(contender, { mode: closed, connections, seconds })
    contenders.push(contender)
  }
  return contenders
}

interface Comparison {
  readonly id: string
  readonly title: string
  readonly columns: readonly Column[]
  readonly measure: (contender: Contender) => Promise<Sample>
  readonly goalsOf: (rounds: RoundsByName) => Goal[]
}

async function compare(
  { options, say, keep }: Context,
  contenders: readonly Contender[],
  { id, title, columns, measure, goalsOf }: Comparison
): Promise<void> {
  await inRounds({
    contenders,
    rounds: options.rounds,
    measure,
    onSample: (round, { name }, sample) => {
      const figures = columns.map(({ key, label }) => `${label} ${sample[key]?.toFixed(2)}`)
      say(`${id} ${round + 1}/${options.rounds}  ${name}: ${figures.join(', ')}`)
    },
    onRound: (rounds) =>
      keep({
        id,
        title,
        baseline,
        columns,
        rows: rowsOf(columns, rounds, baseline),
        goals: goalsOf(rounds)
      })
  })
}

async function measureOpen(
  { options }: Context,
  contender: Contender,
  rate: number
): Promise<Sample> {
  const load = { mode: open(rate), connections: openConnections }
  await ask(contender, { ...load, seconds: options.warmUpSeconds })
  const stop = meterCpu(contender.processes)
  const figures = await ask(contender, { ...load, seconds: options.seconds })
  const cpu = stop()
  const { answers, p50Ms, p99Ms } = figures
  // A refusal would be cheaper than an answer. Who can't keep up with the rate answers some too late.
  assertAll(200, contender.name, figures, { lossesAllowed: true })
  return {
    cpuUs: sumOf(cpu) / answers,
    serverUs: cpu.server / answers,
    redisUs: cpu.redis / answers,
    postgresUs: cpu.postgres / answers,
    p50Ms,
    p99Ms,
    perSecond: figures.perSecond
  }
}

async function measureSaturation({ options }: Context, contender: Contender): Promise<Sample> {
  const load = { mode: closed, connections: options.connections }
  await ask(contender, { ...load, seconds: options.warmUpSeconds })
  const stop = meterCpu(contender.processes)
  const figures = await ask(contender, { ...load, seconds: options.seconds })
  const cpuUs = sumOf(stop()) / figures.answers
  // A refusal would be cheaper than an answer.
  assertAll(200, contender.name, figures)
  const { perSecond, p99Ms, clientBusy } = figures
  return { perSecond, cpuUs, p99Ms, clientBusy }
}

function openGoals(rounds: RoundsByName, rate: number): Goal[] {
  const times = (key: string) => timesOf(rounds, key, replica, baseline)
  const at = `at ${rate}/s, Keycard replica to bare Fastify`
  return [
    { what: `CPU per request ${at}`, bound: 'at most', wanted: 1.15, measured: times('cpuUs') },
    { what: `p99 ${at}`, bound: 'at most', wanted: 1.3, measured: times('p99Ms') }
  ]
}

function saturationGoals(rounds: RoundsByName): Goal[] {
  const over = (name: string, wanted: number): Goal => ({
    what: `requests/s of Keycard replica to ${name}`,
    bound: 'at least',
    wanted,
    measured: timesOf(rounds, 'perSecond', replica, name)
  })
  return [over('Express tutorial', 10), over('better-auth Postgres', 10), over('Express best', 4)]
}
