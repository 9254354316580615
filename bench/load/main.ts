/**
 * Puts a deployment under load and says what came of it: on the terminal, as JSON and as a page.
 *
 *   npm run load -- --help
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createLifetime } from '../../test/support/lifetime.js'
import type { Second } from './driver/measured.js'
import { help, type LoadOptions, readOptions, UsageError } from './options.js'
import { pageOf } from './report/page.js'
import {
  describeCommit,
  describeMachine,
  describeVersions,
  type LoadReport,
  type ScenarioReport,
  verdictOf
} from './report/report.js'
import { rounded, tableOf } from './report/table.js'
import { runScenario } from './run.js'
import { openSite } from './site.js'

async function run(options: LoadOptions): Promise<boolean> {
  const lifetime = createLifetime()
  try {
    const { target, out, ...configuration } = options
    const startedAt = new Date().toISOString()
    say(`Preparing ${options.users} accounts …`)
    const site = await openSite(lifetime, options)
    const about = {
      startedAt,
      machine: describeMachine(),
      commit: describeCommit(),
      versions: describeVersions(),
      configuration: {
        ...configuration,
        target: target === undefined ? null : [...target.origins]
      },
      backends: site.backends
    }
    const scenarios: ScenarioReport[] = []
    for (const name of options.scenarios) {
      say(`\n${name}, ${options.seconds} s`)
      const progress = {
        onSecond: showSecond,
        onMark: ({ label }: { label: string }) => say(`    ${label}`)
      }
      const scenario = await runScenario(name, { site, options, progress })
      say(`\n${tableOf(scenario)}`)
      scenarios.push(scenario)
      // After each of them: a run that is interrupted keeps what it has.
      await write(out, { ...about, scenarios })
    }
    say(`\n${fileOf(out, startedAt)}.html and .json`)
    return verdictOf({ scenarios }) === 'kept'
  } finally {
    await lifetime.end()
  }
}

function showSecond({ second, answers, failures, p50Ms, p99Ms }: Second): void {
  const failed = failures === 0 ? '' : `, ${failures} failed`
  say(
    `  ${String(second + 1).padStart(3)} s  ${String(answers).padStart(7)} answers  p50 ${rounded(p50Ms)} ms  p99 ${rounded(p99Ms)} ms${failed}`
  )
}

async function write(folder: string, report: LoadReport): Promise<void> {
  await mkdir(folder, { recursive: true })
  const base = fileOf(folder, report.startedAt)
  await writeFile(`${base}.json`, `${JSON.stringify(report, null, 2)}\n`)
  await writeFile(`${base}.html`, pageOf(report))
}

function fileOf(folder: string, startedAt: string): string {
  return join(folder, `load-${startedAt.replace(/[:.]/g, '-')}`)
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) say(help)
  else if (!(await run(options))) process.exitCode = 1
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
