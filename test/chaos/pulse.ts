import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Calls } from './calls.js'
import { resultOf } from './history.js'
import { createImpatience } from './impatience.js'
import type { Pair } from './recorder.js'

export interface PulseOptions {
  readonly calls: Calls
  readonly nodes: readonly number[]
  readonly isReady: (node: number) => boolean
  /** A node to ask now. */
  readonly node: () => number
  readonly signal: AbortSignal
}

const everyMs = 150

/**
 * Presents a good token at every node all the time, so that a node which accepts nothing has had
 * something to accept. It logs in again as soon as its token is dead.
 */
export async function beat(options: PulseOptions): Promise<void> {
  const { calls, nodes, isReady, node, signal } = options
  const patiently = createImpatience(signal)
  const credentials = {
    email: `${randomUUID()}@example.com`,
    password: randomBytes(12).toString('base64url')
  }
  let isRegistered = false
  let own: Pair | undefined

  async function enter(): Promise<void> {
    if (isRegistered) own = (await patiently(calls.logIn(node(), credentials)))?.pair
    else {
      credentials.email = `${randomUUID()}@example.com`
      own = (await patiently(calls.register(node(), credentials)))?.pair
      isRegistered = own !== undefined
    }
  }

  async function visit(node: number, { access }: Pair): Promise<void> {
    const result = await patiently(calls.visit(node, access))
    const isDead = result !== undefined && resultOf(result).startsWith('TOKEN_')
    if (isDead && own?.access === access) own = undefined
  }

  while (!signal.aborted) {
    if (own === undefined) await enter()
    const pair = own
    if (pair !== undefined) for (const node of nodes.filter(isReady)) void visit(node, pair)
    await pause(everyMs)
  }
}
