import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Lifetime } from '../support/lifetime.js'
import { check, type Promises, type Violation } from './checker.js'
import type { History } from './history.js'
import { startLoad } from './load.js'
import { torment } from './nemesis.js'
import { createRandom } from './random.js'
import { createRecorder } from './recorder.js'
import { type FaultKind, schedule } from './schedule.js'
import { type Site, startSite } from './site.js'

export interface HarnessOptions {
  readonly seed: number
  /** How long faults go on; with `kinds`, at most. */
  readonly minutes: number
  /** These faults one by one; without it, whatever the seed says. */
  readonly kinds?: readonly FaultKind[]
  /** `REVOCATION_MODE` of every node; theirs where none is given. */
  readonly mode?: string
  /** Whether there is a Redis. True by default. */
  readonly redis?: boolean
  /** Whether single tokens and everyone are revoked, through the admin API. True by default. */
  readonly admin?: boolean
  readonly people?: number
  /** Of inside/lies.ts, told by every node. */
  readonly lie?: string
  readonly say?: (message: string) => void
}

export interface Report {
  readonly seed: number
  readonly history: History
  readonly violations: readonly Violation[]
  /** What the nodes said by themselves: warnings and errors. */
  readonly outputs: readonly string[]
}

const nodes = 4
/** For everybody to log in and get going. */
const warmUpMs = 2_000
const promises: Promises = { deadlineMs: 5_000, recoveryMs: 5_000, graceMs: 60_000 }

/** Runs a deployment of real processes under load and faults, and checks all that was seen. */
export async function runHarness(t: Lifetime, options: HarnessOptions): Promise<Report> {
  const { seed, minutes, kinds, mode, redis = true, people = 12, say = () => undefined } = options
  const admin = {
    email: 'root@example.com',
    password: randomBytes(12).toString('base64url')
  }
  const site = await startSite(t, {
    nodes,
    redis,
    env: {
      ...(mode === undefined ? {} : { REVOCATION_MODE: mode }),
      REFRESH_GRACE: `${promises.graceMs / 1_000}s`,
      // So short that a longer run sees what is kept of revocations expire.
      ACCESS_TOKEN_TTL: '90s',
      BOOTSTRAP_ADMIN_EMAIL: admin.email,
      BOOTSTRAP_ADMIN_PASSWORD: admin.password
    },
    ...(options.lie === undefined ? {} : { lie: options.lie })
  })
  say('All nodes are up')
  const recorder = createRecorder(site.nodes.map(({ client }) => client))
  const random = createRandom(seed).fork(1)
  const stopLoad = startLoad({
    recorder,
    nodes,
    people,
    random,
    admin: options.admin === false ? undefined : admin
  })
  await pause(warmUpMs)
  const until = performance.now() + minutes * 60_000
  const rounds = schedule({ seed, nodes, redis, ...(kinds === undefined ? {} : { kinds }) })
  const { recoveryMs } = promises
  try {
    await torment({ site, recorder, rounds, until, recoveryMs, say })
  } finally {
    await stopLoad()
  }
  const history = await recorder.finish()
  const violations = check(history, promises)
  return { seed, history, violations, outputs: outputsOf(site) }
}

const outputsOf = (site: Site): string[] => site.nodes.map((node) => node.output())
