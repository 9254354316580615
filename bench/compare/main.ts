/**
 * Keycard beside the limits of what it is made of and beside what people use instead, on one machine in one run:
 * everyone in every round, in changing order, with the CPU time of all processes involved.
 *
 *   npm run bench:compare -- --help
 */
import { access } from 'node:fs/promises'
import { createLifetime } from '../../test/support/lifetime.js'
import { buildServers } from './build.js'
import type { Part } from './context.js'
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
const say = (line: string): void => {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)}  ${line}\n`)
}

const outer = createLifetime()
try {
  const script = await buildServers(outer)
  for (const name of options.only) {
    say(`${name}:`)
    const before = report.sections()
    const lifetime = createLifetime()
    try {
      await parts[name]({ options, script, lifetime, say, keep: report.keep })
    } finally {
      await lifetime.end()
    }
    const made = report.sections().filter((section) => !before.includes(section))
    process.stdout.write(`\n${made.map(textOf).join('\n')}\n`)
  }
} finally {
  await outer.end()
}
say(`the report is in ${options.out}`)
