import type { Command } from 'commander'
import { systemClock } from '../../clock.js'
import type { Define } from '../command.js'
import { type Diagnosis, diagnose } from '../doctor/diagnosis.js'
import type { Finding } from '../doctor/finding.js'
import { exitCodes } from '../exit-codes.js'
import type { Report } from '../report.js'
import type { Terminal } from '../terminal.js'

interface Options {
  readonly strict?: boolean
}

/** `keycard doctor`: what production asks for, and a sentence of advice where it isn't so. */
export function defineDoctor(program: Command, define: Define): void {
  define<Options>(program, {
    name: 'doctor',
    summary: 'check the deployment against what production asks for',
    description:
      'Checks the deployment against what production asks for: secrets, lifetimes, HTTPS, proxies, limits, hashing, Postgres, Redis, audit, clocks, migrations, nodes and Node itself. Of the clocks it compares that of this machine, and those that were ahead when a node started, so run it on every node. Where all is well it prints nothing and exits with 0. Exits with 1 where there is an error; warnings count with --strict.',
    options: (command) => command.option('--strict', 'let warnings count as errors'),
    async run({ terminal, env, cwd }, { strict = false }) {
      const { node: nodeVersion } = process.versions
      const diagnosis = await diagnose({ env, cwd, nodeVersion, clock: systemClock })
      return report(diagnosis, strict, terminal)
    }
  })
}

function report(diagnosis: Diagnosis, strict: boolean, terminal: Terminal): Report {
  const { findings, hashesPerSecond } = diagnosis
  const errors = findings.filter(({ severity }) => severity === 'error').length
  const isBad = errors > 0 || (strict && findings.length > 0)
  const speed =
    hashesPerSecond === null
      ? ''
      : ` This machine makes ${hashesPerSecond} password hashes per second.`
  const value = { ok: !isBad, ...diagnosis }
  if (findings.length === 0) {
    terminal.remark(`All is well.${speed}`)
    return { value, text: '' }
  }
  const paragraphs = findings.map((finding) => paragraph(finding, terminal))
  const summary = `${errors} error(s), ${findings.length - errors} warning(s).${speed}`
  const exit = isBad ? exitCodes.failed : exitCodes.done
  return { value, text: [...paragraphs, summary].join('\n'), exit }
}

function paragraph({ check, severity, found, advice }: Finding, terminal: Terminal): string {
  const mark = terminal.colour(severity === 'error' ? 'red' : 'yellow', severity.padEnd(7))
  return `${mark}  ${check}\n         ${found}\n         ${advice}\n`
}
