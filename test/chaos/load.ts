import { setMaxListeners } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { type Calls, createCalls, type Credentials } from './calls.js'
import { createImpatience } from './impatience.js'
import { live } from './person.js'
import { beat } from './pulse.js'
import type { Random } from './random.js'
import type { Pair, Recorder } from './recorder.js'
import { createWallet, type Wallet } from './wallet.js'
import { govern } from './warden.js'

export interface LoadOptions {
  readonly recorder: Recorder
  readonly nodes: number
  readonly people: number
  readonly random: Random
  /** Who revokes through the admin API; nobody does where there is no such person. */
  readonly admin: Credentials | undefined
}

const presentEveryMs = 25

/** Everybody who uses the service at the same time. @returns how to make them stop */
export function startLoad(options: LoadOptions): () => Promise<void> {
  const { recorder, nodes, people, random, admin } = options
  const stopping = new AbortController()
  const { signal } = stopping
  setMaxListeners(0, signal)
  const wallet = createWallet()
  const calls = createCalls(recorder, wallet, nodes)
  const all = Array.from({ length: nodes }, (_, node) => node)

  /** One that seems to answer, where there is one. */
  function someNode(random: Random): number {
    const ready = all.filter(recorder.isReady)
    return random.pick(ready.length === 0 ? all : ready)
  }

  const everybody = Array.from({ length: people }, (_, index) => {
    const own = random.fork(index)
    return live({ calls, random: own, node: () => someNode(own), signal })
  })
  const presenters = all.map((node) =>
    presentAt(node, { calls, wallet, recorder, random: random.fork(1_000 + node), signal })
  )
  const warden = random.fork(2_000)
  const wardens = admin
    ? [govern({ calls, wallet, admin, random: warden, node: () => someNode(warden), signal })]
    : []

  const pulse = random.fork(3_000)
  const { isReady } = recorder
  const beating = beat({ calls, nodes: all, isReady, node: () => someNode(pulse), signal })

  return async function stop() {
    stopping.abort()
    await Promise.all([...everybody, ...presenters, ...wardens, beating])
  }
}

interface Presenting {
  readonly calls: Calls
  readonly wallet: Wallet
  readonly recorder: Recorder
  readonly random: Random
  readonly signal: AbortSignal
}

/** Presents the kept tokens at one node over and over, above all those that have been revoked. */
async function presentAt(node: number, parts: Presenting): Promise<void> {
  const { calls, wallet, recorder, random, signal } = parts
  const patiently = createImpatience(signal)

  async function present(pair: Pair): Promise<void> {
    const isRefresh = random.chance(0.05) && !wallet.isLive(pair)
    if (isRefresh) await patiently(calls.refresh(node, pair.refresh))
    else await patiently(calls.visit(node, pair.access))
  }

  while (!signal.aborted) {
    const pair = wallet.draw(random)
    if (pair !== undefined && recorder.isReady(node)) {
      // Without waiting for the answer of a node that has none at the moment.
      await Promise.race([present(pair), pause(presentEveryMs)])
    }
    await pause(presentEveryMs * random.between(0.5, 1.5))
  }
}
