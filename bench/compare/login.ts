import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { requestBytes } from '../load/driver/connection.js'
import type { Planned } from '../load/driver/drive.js'
import { cores } from './cpu.js'
import type { HashesMade } from '../servers/argon2.js'
import type { Context, Part } from './context.js'
import { type BenchDeployment, startDeployment } from './deployment.js'
import { type Asked, ask, assertAll, closed, open, send } from './loads.js'
import { meterCpu, sumOf } from './meter.js'
import {
  type Column,
  rowsOf,
  type RoundsByName,
  type Sample,
  type Section,
  timesOf
} from './report.js'
import { inRoundsOf, type Subject } from './rounds.js'
import { accessTokensOf, bearing, emailOf, password } from './seed.js'

const users = 1_000
/** More than are hashed at once, and so few that none waits for too long. */
const loginsAtOnce = 4 * cores()
/** As many as the queue holds by default: some wait for too long, and are answered 503. */
const loginsInStorm = 64
const tokensInRotation = 500
/** A prime. */
const stride = 7_919
const limitName = 'argon2 alone'
/** The process is a new one each time: until it has its threads and their memory. */
const hashWarmUpSeconds = 1

const loginColumns: readonly Column[] = [
  { key: 'perSecond', label: 'per second', digits: 1, ratio: true },
  { key: 'cpuMs', label: 'CPU ms each', digits: 1, ratio: true },
  { key: 'p99Ms', label: 'p99 ms', digits: 0 }
]
const stormColumns: readonly Column[] = [
  { key: 'p50Ms', label: 'p50 ms', digits: 2, ratio: true },
  { key: 'p99Ms', label: 'p99 ms', digits: 2, ratio: true },
  { key: 'logins', label: 'logins/s', digits: 1 }
]

/** How many logins a node answers beside how many hashes the machine makes, and what requests notice of a storm. */
export const login: Part = async (context) => {
  const deployment = await startDeployment(context, { users })
  await inRoundsOf(context, 'login', subjectsOf(context, deployment), loginSection)

  const guarded: Asked = {
    url: `${deployment.nodes[0].url}/protected`,
    requests: bearing(accessTokensOf(tokensInRotation))
  }
  const { connections, warmUpSeconds, seconds } = context.options
  await ask(guarded, { mode: closed, connections, seconds: warmUpSeconds })
  const most = await ask(guarded, { mode: closed, connections, seconds })
  const rate = Math.max(1, Math.round(most.perSecond / 2))
  const subjects = stormSubjects(deployment, guarded, rate)
  await inRoundsOf(context, 'login-storm', subjects, (rounds) => stormSection(rounds, rate))
}

function subjectsOf({ script }: Context, deployment: BenchDeployment): Subject[] {
  return [
    {
      name: limitName,
      measure: (seconds) => hashAlone(script('argon2'), deployment.passwordHash, seconds)
    },
    {
      name: 'Keycard login',
      async measure(seconds) {
        const stop = meterCpu(deployment.processes)
        const load = { mode: closed, connections: loginsAtOnce, seconds }
        const figures = await send([deployment.nodes[0].url], logins(users), load)
        assertAll(200, 'A login', figures)
        const cpuMs = sumOf(stop()) / 1_000 / figures.answers
        return { perSecond: figures.perSecond, cpuMs, p99Ms: figures.p99Ms }
      }
    }
  ]
}

/** A process of its own, which hashes as many at once as Keycard does. */
async function hashAlone(script: string, hash: string, seconds: number): Promise<Sample> {
  const args = [script, hash, password, String(hashWarmUpSeconds), String(seconds)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const { made, tookSeconds, cpuUs } = JSON.parse(stdout) as HashesMade
  return { perSecond: made / tookSeconds, cpuMs: cpuUs / 1_000 / made, p99Ms: NaN }
}

/** Logins of the first `count` users in turn, in strides that leave out neighbours. */
export function logins(count: number): (sequence: number) => Planned {
  return (sequence) => ({
    name: 'login',
    request: requestBytes({
      method: 'POST',
      path: '/api/auth/login',
      body: { email: emailOf(((sequence * stride) % count) + 1), password, tokenDelivery: 'body' }
    })
  })
}

function stormSubjects({ nodes }: BenchDeployment, guarded: Asked, rate: number): Subject[] {
  const verifying = { mode: open(rate), connections: 128 }
  return [
    {
      name: 'nobody logs in',
      async measure(seconds) {
        const figures = await ask(guarded, { ...verifying, seconds })
        assertAll(200, 'A protected request', figures)
        return { p50Ms: figures.p50Ms, p99Ms: figures.p99Ms, logins: 0 }
      }
    },
    {
      name: 'everybody logs in',
      async measure(seconds) {
        const load = { mode: closed, connections: loginsInStorm, seconds }
        const [figures, storm] = await Promise.all([
          ask(guarded, { ...verifying, seconds }),
          send([nodes[0].url], logins(users), load)
        ])
        assertAll(200, 'A protected request in a storm', figures)
        const answered = (storm.statuses['200'] ?? 0) / storm.answers
        const { p50Ms, p99Ms } = figures
        return { p50Ms, p99Ms, logins: answered * storm.perSecond }
      }
    }
  ]
}

function loginSection(rounds: RoundsByName): Section {
  return {
    id: 'login',
    title: `Logins, ${loginsAtOnce} under way, beside password hashes alone`,
    baseline: limitName,
    columns: loginColumns,
    rows: rowsOf(loginColumns, rounds, limitName),
    goals: [
      {
        what: 'logins/s of Keycard to argon2 alone',
        bound: 'at least',
        wanted: 0.95,
        measured: timesOf(rounds, 'perSecond', 'Keycard login', limitName)
      }
    ]
  }
}

function stormSection(rounds: RoundsByName, rate: number): Section {
  const baseline = 'nobody logs in'
  return {
    id: 'login-storm',
    title: `A protected request at half load (${rate.toLocaleString('en')}/s) on a node that hashes`,
    baseline,
    columns: stormColumns,
    rows: rowsOf(stormColumns, rounds, baseline),
    goals: [
      {
        what: 'p99 of a protected request in a login storm to its idle value',
        bound: 'at most',
        wanted: 2,
        measured: timesOf(rounds, 'p99Ms', 'everybody logs in', baseline)
      }
    ]
  }
}
