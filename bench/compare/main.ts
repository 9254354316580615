/**
 * Keycard beside the limits of what it is made of and beside what people use instead, on one machine in one run:
 * everyone in every round, in changing order, with the CPU time of all processes involved.
 *
 *   npm run bench:compare -- --help
 */
import { access } from 'node:fs/promises'
import { type Part, runParts } from './context.js'
import { everyone } from './everyone.js'
import { login } from './login.js'
import { describeMachine } from './machine.js'
import { help, type PartName, readOptions } from './options.js'
import { textOf } from './print.js'
import { refresh } from './refresh.js'
import { openReport } from './report-file.js'
import { verifyOpen, verifySaturation } from './verify.js'

const parts: Readonly<Record<PartName, Part>> = {
  'verify-open': verifyOpen,
  'verify-saturation': verifySaturation,
  login,
  refresh,
  everyone
}

const args = process.argv.slice(2)
if (args.includes('--help')) {
  process.stdout.write(help)
  process.exit()
}
const options = readOptions(args)
await access(new URL('../peers/node_modules', import.meta.url)).catch(() => {
  process.stderr.write('Install the peers first: npm ci --prefix bench/peers --ignore-scripts\n')
  process.exit(1)
})

const report = openReport(options.out, {
  startedAt: new Date().toISOString(),
  command: `npm run bench:compare -- ${args.join(' ')}`,
  machine: await describeMachine(),
  options
})
await runParts(parts, { options, keep: report.keep, kept: report.sections, textOf })
process.stderr.write(`the report is in ${options.out}\n`)
