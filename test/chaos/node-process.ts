import { setTimeout as pause } from 'node:timers/promises'
import { type Client, createClient } from '../support/client.js'
import type { Lifetime } from '../support/lifetime.js'
import { ownPort } from '../support/own-port.js'
import { type ServiceProcess, spawnWatched } from '../support/service-process.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import type { Build } from './build.js'

/** One node of the deployment. It keeps its port through every death. */
export interface ChaosNode {
  readonly client: Client
  /** Starts it after `kill`; done when it answers. */
  readonly start: () => Promise<void>
  readonly kill: () => Promise<void>
  readonly freeze: () => void
  readonly thaw: () => void
  /** Stops its event loop for the time that inside/block-on-signal.ts says. */
  readonly block: () => void
  /** All it has said in its lives, which is little: warnings and errors. */
  readonly output: () => string
}

export interface NodeOptions {
  readonly build: Build
  readonly env: NodeJS.ProcessEnv
  /** Of inside/lies.ts. */
  readonly lie?: string
}

const pollMs = 25
const liveMs = 2_000

/** Starts a node, and again until it answers, as a supervisor does. */
export async function startNode(t: Lifetime, options: NodeOptions): Promise<ChaosNode> {
  const port = await ownPort()
  const cwd = await temporaryFolder(t)
  const client = createClient(`http://127.0.0.1:${port}`)
  const outputs: (() => string)[] = []
  let life: ServiceProcess | undefined

  async function start(): Promise<void> {
    const { build, env, lie } = options
    const modules = ['block-on-signal', ...(lie === undefined ? [] : ['tell-lie'])]
    const args = [...modules.map((name) => `--import=${build.inside(name)}`), build.server]
    for (let isLive = false; !isLive;) {
      life = await spawnWatched(t, process.execPath, args, {
        env: { ...env, PORT: String(port), ...(lie === undefined ? {} : { CHAOS_LIE: lie }) },
        cwd
      })
      outputs.push(life.stdout, life.stderr)
      isLive = await untilLive(client, life)
    }
  }

  await start()
  return {
    client,
    start,
    kill: async () => {
      life?.signal('SIGKILL')
      await life?.ended
    },
    freeze: () => life?.signal('SIGSTOP'),
    thaw: () => life?.signal('SIGCONT'),
    block: () => life?.signal('SIGUSR2'),
    output: () => outputs.map((said) => said()).join('')
  }
}

/** @returns false where it ended instead */
async function untilLive(client: Client, life: ServiceProcess): Promise<boolean> {
  const ending = new AbortController()
  void life.ended.then(() => {
    ending.abort()
  })
  while (!ending.signal.aborted) {
    const signal = AbortSignal.any([ending.signal, AbortSignal.timeout(liveMs)])
    const answer = await client.get('/health/live', { signal }).catch(() => undefined)
    if (answer?.status === 200) return true
    await pause(pollMs)
  }
  return false
}
