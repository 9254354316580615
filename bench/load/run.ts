import { setTimeout as pause } from 'node:timers/promises'
import type { CpuPerRole } from '../compare/meter.js'
import type { Processes } from '../compare/variants.js'
import { createCpuCount } from './cpu-count.js'
import { type Driven, drive, type DriveOptions, type Mode } from './driver/drive.js'
import { figuresOf, type Second } from './driver/measured.js'
import { type LoadOptions, rateOf, type ScenarioName } from './options.js'
import type { Mark, ScenarioReport } from './report/report.js'
import { everyone } from './scenarios/everyone.js'
import { outage, revokeStorm } from './scenarios/revocations.js'
import { login, mixed, refresh, verify } from './scenarios/steady.js'
import type { Site } from './site.js'
import type { Scenario, Stage } from './stage.js'
import { createWitness } from './witness.js'

/** So that requests don't wait for each other in the client. Sockets are not without end. */
const mostConnections = 1_000

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

export interface Run {
  readonly site: Site
  readonly options: LoadOptions
  readonly progress?: Progress
}

/** Plays one scenario and condenses what came of it. */
export async function runScenario(name: ScenarioName, run: Run): Promise<ScenarioReport> {
  const perSecond = rateOf(run.options, name)
  const play = setUp(
    run,
    perSecond === undefined ? { kind: 'closed' } : { kind: 'open', perSecond }
  )
  const { driven, findings, unproved = [] } = await scenarios[name](play.stage).finally(play.end)
  const answers = driven.all.histogram.totalCount
  const used = play.cpu()
  const byRequest = [...driven.byName].map(
    ([request, measured]) => [request, figuresOf(measured, driven.durationMs)] as const
  )
  return {
    name,
    perSecond: perSecond ?? null,
    durationMs: driven.durationMs,
    all: figuresOf(driven.all, driven.durationMs),
    byRequest: Object.fromEntries(byRequest),
    seconds: driven.seconds,
    marks: play.marks,
    cpuPerAnswerUs: used === undefined ? null : perAnswer(used, answers),
    clientBusy: play.clientBusy(),
    findings,
    dropped: driven.dropped,
    violations: play.stage.witness.violations,
    unproved: driven.all.statuses.has(200)
      ? unproved
      : ['nothing was answered 200 in the time that was measured', ...unproved],
    unjustRefusals: play.stage.witness.unjustRefusals()
  }
}

/** The stage of a scenario, and what is counted around it. */
function setUp({ site, options, progress = {} }: Run, mode: Mode) {
  const { connections } = options
  const { targets, redis } = site
  const durationMs = options.seconds * 1_000
  const marks: Mark[] = []
  const cpu = createCpuCount()
  const calling = new AbortController()
  let processes: Processes | undefined
  let startedAt = performance.now()
  let clientBusy = 0

  async function measured(next: DriveOptions['next']): Promise<Driven> {
    cpu.turnTo(processes)
    const clientCpu = process.cpuUsage()
    startedAt = performance.now()
    const driven = await drive({
      ...{ targets, connections, mostConnections, mode, durationMs, next },
      ...(progress.onSecond !== undefined && { onSecond: progress.onSecond }),
      signal: calling.signal
    })
    const { user, system } = process.cpuUsage(clientCpu)
    cpu.turnTo(undefined)
    clientBusy = (user + system) / 1_000 / driven.durationMs
    // The answers that were still to come.
    if (driven.seconds.length > options.seconds) {
      marks.push({ atSecond: options.seconds, label: 'no more requests' })
    }
    return driven
  }

  async function warmUp(next: DriveOptions['next']): Promise<void> {
    const { all } = await drive({
      ...{ targets, connections, next },
      mode: { kind: 'closed' },
      durationMs: options.warmUpSeconds * 1_000
    })
    processes = await site.processes()
    if (all.statuses.has(200)) return
    const statuses = JSON.stringify(Object.fromEntries(all.statuses))
    throw new Error(
      `Nothing was answered 200, but ${statuses}: are the secrets, issuer and path those of the target?`
    )
  }

  const stage: Stage = {
    site,
    options,
    people: site.takePeople(),
    witness: createWitness(),
    warmUp,
    drive: measured,
    mark(label) {
      const mark = { atSecond: (performance.now() - startedAt) / 1_000, label }
      marks.push(mark)
      progress.onMark?.(mark)
    },
    progress: () => Math.min(1, (performance.now() - startedAt) / durationMs),
    async until(part) {
      await pause(Math.max(0, startedAt + durationMs * part - performance.now()))
    },
    redis: redis && {
      async kill() {
        cpu.turnTo(processes && { ...processes, redis: [] })
        await redis.kill()
      },
      async start() {
        await redis.start()
        cpu.turnTo(await site.processes())
      }
    }
  }
  return {
    stage,
    marks,
    cpu: cpu.total,
    clientBusy: () => clientBusy,
    /** Calls off what still runs. */
    end: () => calling.abort()
  }
}

function perAnswer({ server, redis, postgres }: CpuPerRole, answers: number): CpuPerRole {
  return { server: server / answers, redis: redis / answers, postgres: postgres / answers }
}
