import { cores } from '../compare/cpu.js'
import { noProcesses } from '../compare/variants.js'
import type { Part } from './context.js'
import { guardedDatabase, type GuardedNode, startGuarded } from './guarded-node.js'
import { atSaturation, inSteps, inWords, mediansOf, ratiosOf } from './measure.js'

/** Whether more processes answer more. */
export const processes: Part = async (context) => {
  const { options, keep } = context
  const postgres = await guardedDatabase(context)
  const nodes: GuardedNode[] = []
  for (let count = 0; count < Math.max(...options.processes); count++) {
    nodes.push(await startGuarded(context, postgres))
  }
  const steps = options.processes.map((count) => {
    const some = nodes.slice(0, count)
    const server = some.map((node) => node.server.pid)
    return {
      name: inWords(count),
      measure: () => atSaturation(context, some, { ...noProcesses, server })
    }
  })
  const names = steps.map(({ name }) => name)
  const machine = `This machine has ${cores()} cores, and the client takes its part of them.`
  await inSteps(context, 'processes', steps, async (rounds) => {
    await keep({
      title: 'Protected requests per second, by processes',
      note: `At saturation, as a multiple of one process: what one more process adds. ${machine}`,
      xLabel: 'processes',
      steps: names,
      yLabel: '× one process',
      series: [
        { name: 'requests/s', values: ratiosOf(rounds, names, 'perSecond') },
        { name: 'CPU per request', values: ratiosOf(rounds, names, 'cpuUs') }
      ]
    })
    await keep({
      title: 'Protected requests per second at saturation',
      note: `The same in requests per second. ${machine}`,
      xLabel: 'processes',
      steps: names,
      yLabel: 'requests/s',
      series: [{ name: 'requests/s', values: mediansOf(rounds, names, 'perSecond') }]
    })
  })
}
