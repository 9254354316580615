import { setTimeout as pause } from 'node:timers/promises'
import { eventually } from '../support/eventually.js'
import { inflict } from './faults.js'
import type { Recorder } from './recorder.js'
import type { Plan, Round } from './schedule.js'
import type { Site } from './site.js'

export interface NemesisOptions {
  readonly site: Site
  readonly recorder: Recorder
  readonly rounds: Iterable<Round>
  /** Begins no round after this moment, on the monotonic clock. */
  readonly until: number
  /** How long the service may take to recover; the next round begins as soon as it has. */
  readonly recoveryMs: number
  /** Told what it does. */
  readonly say: (message: string) => void
}

/** Carries out the rounds one after the other, and writes down what it did when. */
export async function torment(options: NemesisOptions): Promise<void> {
  const { site, recorder, rounds, until, recoveryMs, say } = options

  async function strike(afterMs: number, plan: Plan): Promise<void> {
    await pause(afterMs)
    say(describe(plan))
    const start = performance.now()
    await inflict(site, plan)
    const nodes = isOnProcesses(plan) ? plan.nodes : []
    recorder.fault({ name: describe(plan), nodes, start, end: performance.now() })
  }

  /** That it came too late, or never, is for the checker to say. */
  async function recovery(): Promise<void> {
    const since = performance.now()
    const isBack = () => site.nodes.every((_, node) => recorder.hasAccepted(node, since))
    await eventually('every node accepts tokens again', isBack, {
      withinMs: recoveryMs
    }).catch(() => undefined)
  }

  for (const { faults, pauseMs } of rounds) {
    if (performance.now() >= until) return
    await Promise.all(faults.map(({ afterMs, plan }) => strike(afterMs, plan)))
    await recovery()
    await pause(pauseMs)
  }
}

type OnProcesses = Extract<Plan, { kind: 'freeze nodes' | 'kill nodes' | 'block event loops' }>

function isOnProcesses(plan: Plan): plan is OnProcesses {
  return (
    plan.kind === 'freeze nodes' || plan.kind === 'kill nodes' || plan.kind === 'block event loops'
  )
}

function describe({ kind, ...details }: Plan): string {
  const words = Object.entries(details).map(([name, value]) => `${name} ${String(value)}`)
  return [kind, ...words].join(', ')
}
