/**
 * What becomes of Keycard's figures where there is more of something: processes, live revocations, users and
 * sessions, larger requests and answers, connections. A page with a chart each.
 *
 *   npm run bench:scaling -- --help
 */
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { runParts } from '../compare/context.js'
import { describeMachine } from '../compare/machine.js'
import { accounts } from './accounts.js'
import { type Chart, figure } from './chart.js'
import { connections } from './connections.js'
import type { Part } from './context.js'
import { help, type PartName, readOptions } from './options.js'
import { pageOf } from './page.js'
import { payloads } from './payloads.js'
import { processes } from './processes.js'
import { revocations } from './revocations.js'

const parts: Readonly<Record<PartName, Part>> = {
  processes,
  revocations,
  accounts,
  payloads,
  connections
}

const args = process.argv.slice(2)
if (args.includes('--help')) {
  process.stdout.write(help)
  process.exit()
}
const options = readOptions(args)
const command = `npm run bench:scaling -- ${args.join(' ')}`
const startedAt = new Date().toISOString()
const machine = await describeMachine()
const charts = new Map<string, Chart>()

/** Whoever interrupts a run keeps what there was by then. */
async function keep(chart: Chart): Promise<void> {
  charts.set(chart.title, chart)
  const all = [...charts.values()]
  const { cpu, cores, memoryGb, commit } = machine
  const about = `${command}, ${startedAt}, commit ${commit}, ${cores} cores of ${cpu}, ${memoryGb} GB.`
  await mkdir(dirname(options.out), { recursive: true })
  await write(options.out, pageOf('How Keycard scales', about, all))
  const report = { startedAt, command, machine, options, charts: all }
  await write(options.out.replace(/(\.html)?$/, '.json'), `${JSON.stringify(report, null, 2)}\n`)
}

async function write(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}

function textOf({ title, note, steps, series }: Chart): string {
  const rows = [['', ...steps], ...series.map(({ name, values }) => [name, ...values.map(figure)])]
  const lines = rows.map((cells) =>
    cells
      .map((cell) => cell.padEnd(16))
      .join(' ')
      .trimEnd()
  )
  return [title, note, ...lines, ''].join('\n')
}

await runParts(parts, { options, keep, kept: () => [...charts.values()], textOf })
process.stderr.write(`the page is ${options.out}\n`)
