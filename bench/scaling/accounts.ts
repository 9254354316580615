import { type BenchDeployment, startDeployment } from '../compare/deployment.js'
import { ask, assertAll, closed, send } from '../compare/loads.js'
import { logins } from '../compare/login.js'
import { refreshing } from '../compare/refresh.js'
import type { RoundsByName, Sample } from '../compare/report.js'
import { accessTokensOf, bearing, refreshTokenOf } from '../compare/seed.js'
import type { Chart } from './chart.js'
import type { Context, Part } from './context.js'
import { inSteps, inWords, mediansOf, ratiosOf, type Step } from './measure.js'
import { memoryChart } from './memory.js'

const sessionsInUse = 2_000
const operations = [
  { key: 'verify', name: 'verify' },
  { key: 'refresh', name: 'refresh' },
  { key: 'login', name: 'login' }
] as const

/** Whether users and sessions that are there make anything slower, or a node larger. */
export const accounts: Part = async (context) => {
  const { options, keep, say } = context
  const counts = options.accounts
  const deployments: BenchDeployment[] = []
  const steps: Step[] = []
  for (const count of counts) {
    say(`${inWords(count)} users with a session each are written`)
    const deployment = await startDeployment(context, { users: count })
    deployments.push(deployment)
    steps.push({ name: inWords(count), measure: measurer(context, deployment, count) })
  }
  await inSteps(context, 'accounts', steps, async (rounds) => {
    for (const chart of latencyCharts(counts.map(inWords), rounds)) await keep(chart)
    const memories = await Promise.all(deployments.map(({ nodes }) => nodes[0].memory()))
    await keep(
      memoryChart(counts, memories, {
        what: 'users and sessions',
        xLabel: 'users, each with a session',
        grows: 'inUse',
        noteOf: (bytes) => `${bytes.toFixed(2)} bytes for each session: a node keeps none.`
      })
    )
  })
}

/** One request at a time: what is measured is how long it takes, not how many fit beside each other. */
function measurer(
  { options }: Context,
  { nodes }: BenchDeployment,
  count: number
): () => Promise<Sample> {
  const { url } = nodes[0]
  const protectedRoute = { url: `${url}/protected`, requests: tokensOf(Math.min(count, 500)) }
  const refresh = refreshing(sessionsSpreadOver(count).map((session) => refreshTokenOf(session)))
  const load = { mode: closed, connections: 1 }
  async function all(seconds: number): Promise<Sample> {
    const verified = await ask(protectedRoute, { ...load, seconds })
    const refreshed = await send([url], refresh, { ...load, seconds })
    const loggedIn = await send([url], logins(count), { ...load, seconds })
    const figures = { verify: verified, refresh: refreshed, login: loggedIn }
    const sample: Record<string, number> = {}
    for (const [name, of] of Object.entries(figures)) {
      assertAll(200, name, of)
      sample[`${name}P50Ms`] = of.p50Ms
      sample[`${name}P99Ms`] = of.p99Ms
    }
    return sample
  }
  return async () => {
    await all(options.warmUpSeconds)
    return await all(options.seconds)
  }
}

const tokensOf = (count: number) => bearing(accessTokensOf(count))

function sessionsSpreadOver(count: number): number[] {
  const used = Math.min(count, sessionsInUse)
  return Array.from({ length: used }, (_, index) => Math.floor((index * count) / used) + 1)
}

function latencyCharts(steps: readonly string[], rounds: RoundsByName): Chart[] {
  const common = { xLabel: 'users, each with a session', steps }
  const seriesOf = (figures: typeof ratiosOf, suffix: string) =>
    operations.map(({ key, name }) => ({
      name,
      values: figures(rounds, steps, `${key}${suffix}`)
    }))
  return [
    {
      ...common,
      title: 'Latency by users and sessions',
      note: 'The median of one request at a time, as a multiple of the first step.',
      yLabel: `p50, × at ${steps[0] ?? ''}`,
      series: seriesOf(ratiosOf, 'P50Ms')
    },
    {
      ...common,
      title: 'Latency in milliseconds by users and sessions',
      note: 'The median of one request at a time. A login is mostly its password hash.',
      yLabel: 'p50 ms',
      series: seriesOf(mediansOf, 'P50Ms')
    },
    {
      ...common,
      title: 'Slowest hundredth by users and sessions',
      note: 'The 99th percentile of one request at a time.',
      yLabel: 'p99 ms',
      series: seriesOf(mediansOf, 'P99Ms')
    }
  ]
}
