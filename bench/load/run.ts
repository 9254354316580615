import { setTimeout as pause } from 'node:timers/promises'
import { type CpuPerRole, meterCpu } from '../compare/meter.js'
import { drive } from './driver/drive.js'
import { figuresOf, type Second } from './driver/measured.js'
import type { LoadOptions, ScenarioName } from './options.js'
import type { Mark, ScenarioReport } from './report/report.js'
import { everyone } from './scenarios/everyone.js'
import { outage, revokeStorm } from './scenarios/revocations.js'
import { login, mixed, refresh, verify } from './scenarios/steady.js'
import type { Site } from './site.js'
import { inTurn, type Scenario, type Stage, visit } from './stage.js'
import { createWitness } from './witness.js'

const warmUpMs = 1_500

const scenarios: Readonly<Record<ScenarioName, Scenario>> = {
  verify,
  refresh,
  login,
  mixed,
  'revoke-storm': revokeStorm,
  everyone,
  outage
}

/** What is told while a scenario runs. */
export interface Progress {
  readonly onSecond?: (second: Second) => void
  readonly onMark?: (mark: Mark) => void
}

/** Plays one scenario and condenses what came of it. */
export async function runScenario(
  name: ScenarioName,
  { site, options, progress = {} }: { site: Site; options: LoadOptions; progress?: Progress }
): Promise<ScenarioReport> {
  const { perSecond, seconds, connections } = options
  const witness = createWitness()
  const marks: Mark[] = []
  let startedAt = performance.now()
  let used: CpuPerRole | undefined
  const durationMs = seconds * 1_000

  const stage: Stage = {
    site,
    options,
    people: site.takePeople(),
    witness,
    mark(label) {
      const mark = { atSecond: (performance.now() - startedAt) / 1_000, label }
      marks.push(mark)
      progress.onMark?.(mark)
    },
    async drive(next) {
      startedAt = performance.now()
      const readCpu = site.processes.server.length > 0 ? meterCpu(site.processes) : undefined
      const driven = await drive({
        targets: site.targets,
        connections,
        mode: perSecond === undefined ? { kind: 'closed' } : { kind: 'open', perSecond },
        durationMs,
        next,
        ...(progress.onSecond !== undefined && { onSecond: progress.onSecond })
      })
      used = readCpu?.()
      return driven
    },
    async until(share) {
      await pause(Math.max(0, startedAt + durationMs * share - performance.now()))
    }
  }

  await warmUp(stage)
  const { driven, findings } = await scenarios[name](stage)
  const answers = driven.all.histogram.totalCount
  const byRequest = [...driven.byName].map(
    ([request, measured]) => [request, figuresOf(measured, driven.durationMs)] as const
  )
  return {
    name,
    perSecond: perSecond ?? null,
    all: figuresOf(driven.all, driven.durationMs),
    byRequest: Object.fromEntries(byRequest),
    seconds: driven.seconds,
    marks,
    cpuPerAnswerUs: used === undefined ? null : perAnswer(used, answers),
    findings,
    dropped: driven.dropped,
    violations: witness.violations
  }
}

/** So that no figure is of code that was not compiled yet, or of a connection that was just opened. */
async function warmUp(stage: Stage): Promise<void> {
  await drive({
    targets: stage.site.targets,
    connections: stage.options.connections,
    mode: { kind: 'closed' },
    durationMs: warmUpMs,
    next: (sequence) => visit(stage, inTurn(stage, sequence))
  })
}

function perAnswer({ server, redis, postgres }: CpuPerRole, answers: number): CpuPerRole {
  return { server: server / answers, redis: redis / answers, postgres: postgres / answers }
}
