import type { RoundsByName } from '../compare/report.js'
import { seedRevocations } from '../compare/seed.js'
import { noProcesses } from '../compare/variants.js'
import type { Chart } from './chart.js'
import type { Context, Part } from './context.js'
import { guardedDatabase, type GuardedNode, startGuarded } from './guarded-node.js'
import { atRate, inSteps, inWords, mediansOf, ratiosOf, type Step } from './measure.js'
import { memoryChart } from './memory.js'

const algorithms = ['HS256', 'EdDSA'] as const

const nameOf = (algorithm: string, count: number): string => `${algorithm}, ${inWords(count)}`

/** What live revocations of others cost a request, and a node in memory. */
export const revocations: Part = async (context) => {
  const { options, keep, say } = context
  const counts = options.revocations
  const steps: Step[] = []
  const nodes: GuardedNode[] = []
  for (const count of counts) {
    const postgres = await guardedDatabase(context)
    say(`${inWords(count)} live revocations are written`)
    await seedRevocations(postgres.sql, count)
    for (const algorithm of algorithms) {
      const node = await startGuarded(context, postgres, { algorithm })
      if (algorithm === 'HS256') nodes.push(node)
      const processes = { ...noProcesses, server: [node.server.pid] }
      steps.push({
        name: nameOf(algorithm, count),
        measure: () => atRate(context, node, processes)
      })
    }
  }
  const memories = await Promise.all(nodes.map(({ server }) => server.memory()))
  await keep(
    memoryChart(counts, memories, {
      what: 'live revocations',
      xLabel: 'live revocations',
      grows: 'inUse',
      noteOf: (bytes) => `${bytes.toFixed(0)} bytes for each live revocation.`
    })
  )
  await inSteps(context, 'revocations', steps, async (rounds) => {
    for (const chart of cpuCharts(context, rounds)) await keep(chart)
  })
}

function cpuCharts({ options }: Context, rounds: RoundsByName): Chart[] {
  const counts = options.revocations
  const common = { xLabel: 'live revocations', steps: counts.map(inWords) }
  const seriesOf = (figures: typeof ratiosOf, key: string) =>
    algorithms.map((algorithm) => {
      const names = counts.map((count) => nameOf(algorithm, count))
      return { name: algorithm, values: figures(rounds, names, key) }
    })
  return [
    {
      ...common,
      title: 'CPU per protected request, by live revocations',
      note: `At ${inWords(options.rate)} requests per second, as a multiple of the first step.`,
      yLabel: `× at ${common.steps[0] ?? ''}`,
      series: seriesOf(ratiosOf, 'cpuUs')
    },
    {
      ...common,
      title: 'CPU time per protected request',
      note: 'The same in microseconds of the node.',
      yLabel: 'µs',
      series: seriesOf(mediansOf, 'cpuUs')
    }
  ]
}
