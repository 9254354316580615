import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'
import type { CpuPerRole } from '../../compare/meter.js'
import type { Figures, Second } from '../driver/measured.js'
import type { LoadOptions, ScenarioName } from '../options.js'
import type { Findings } from '../stage.js'
import type { Violation } from '../witness.js'
import type { Backends } from './backends.js'

/** Something that happened during a run, in seconds since it began. */
export interface Mark {
  readonly atSecond: number
  readonly label: string
}

export interface ScenarioReport {
  readonly name: ScenarioName
  /** Requests per second that were due; null at saturation. */
  readonly perSecond: number | null
  readonly durationMs: number
  readonly all: Figures
  readonly byRequest: Readonly<Record<string, Figures>>
  readonly seconds: readonly Second[]
  readonly marks: readonly Mark[]
  /** CPU time of all processes involved, in microseconds for each answer; null for a target of others. */
  readonly cpuPerAnswerUs: CpuPerRole | null
  /** The part of the time that the client was on a CPU: near 1 it is the client that was measured. */
  readonly clientBusy: number
  readonly findings: Findings
  /** Requests that were due and never sent. */
  readonly dropped: number
  readonly violations: readonly Violation[]
  /** Tokens that were refused as revoked, and that nobody had revoked. */
  readonly unjustRefusals: number
  /** What the run was to show and could not, each a sentence. */
  readonly unproved: readonly string[]
}

export interface Machine {
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly os: string
  readonly node: string
}

/** All of a run, for machines. */
export interface LoadReport {
  readonly startedAt: string
  readonly machine: Machine
  readonly commit: string
  readonly versions: Readonly<Record<string, string>>
  readonly configuration: Omit<LoadOptions, 'target' | 'out'> & { readonly target: string[] | null }
  /** What was made for the run; null for a target. */
  readonly backends: Backends | null
  readonly scenarios: readonly ScenarioReport[]
}

export type Verdict = 'kept' | 'broken' | 'unproved'

/**
 * Whether each token was refused from its revocation on, and no other one was; or whether nothing says so: a
 * deployment that answers nobody accepts no revoked token either.
 */
export function verdictOf({ scenarios }: Pick<LoadReport, 'scenarios'>): Verdict {
  const isBroken = scenarios.some(
    ({ violations, unjustRefusals }) => violations.length > 0 || unjustRefusals > 0
  )
  if (isBroken) return 'broken'
  return scenarios.every(({ unproved }) => unproved.length === 0) ? 'kept' : 'unproved'
}

export function describeMachine(): Machine {
  const [first] = cpus()
  return {
    cpu: first?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()}`,
    node: process.version
  }
}

const root = new URL('../../../', import.meta.url)
const told = ['fastify', 'fast-jwt', 'ioredis', 'postgres', 'drizzle-orm', 'argon2']

export function describeVersions(): Record<string, string> {
  return Object.fromEntries(told.map((name) => [name, versionOf(`node_modules/${name}/`)]))
}

function versionOf(folder: string): string {
  const text = readFileSync(new URL(`${folder}package.json`, root), 'utf8')
  const { version } = JSON.parse(text) as { version: string }
  return version
}

/** The commit that is checked out, with a plus where files differ from it. */
export function describeCommit(): string {
  try {
    const git = (...args: string[]) =>
      execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim()
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : '+'}`
  } catch {
    return 'unknown'
  }
}
