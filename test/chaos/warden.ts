import { setTimeout as pause } from 'node:timers/promises'
import type { RevocationKind } from '../../src/revocation/decision.js'
import type { Calls, Credentials } from './calls.js'
import { resultOf } from './history.js'
import { createImpatience } from './impatience.js'
import type { Random } from './random.js'
import type { Pair } from './recorder.js'
import type { Wallet } from './wallet.js'

export interface WardenOptions {
  readonly calls: Calls
  readonly wallet: Wallet
  readonly admin: Credentials
  readonly random: Random
  readonly node: () => number
  readonly signal: AbortSignal
}

const everyMs = [150, 600] as const
/** Everyone logs in again afterwards, so it is to be rare. */
const everyoneEveryMs = [5_000, 10_000] as const

/** An admin who revokes single tokens, sessions, users and, now and then, everyone. */
export async function govern(options: WardenOptions): Promise<void> {
  const { calls, wallet, admin, random, node, signal } = options
  const patiently = createImpatience(signal)
  let own: Pair | undefined
  let everyoneAt = performance.now() + random.between(...everyoneEveryMs)

  async function revoke(by: Pair): Promise<void> {
    if (performance.now() > everyoneAt) {
      everyoneAt = performance.now() + random.between(...everyoneEveryMs)
      return await command(by, 'everyone', '')
    }
    const facts = wallet.drawLive(random)?.access.facts
    if (facts === undefined || facts.sub === by.access.facts.sub) return
    const scope = random.pick(['token', 'token', 'session', 'user'] as const)
    const targets = { token: facts.jti, session: facts.sid, user: facts.sub }
    await command(by, scope, targets[scope])
  }

  async function command(by: Pair, scope: RevocationKind, target: string): Promise<void> {
    const result = await patiently(calls.command(node(), by.access, scope, target))
    const isDead = result !== undefined && resultOf(result).startsWith('TOKEN_')
    if (isDead) own = undefined
  }

  while (!signal.aborted) {
    if (own === undefined) own = (await patiently(calls.logIn(node(), admin)))?.pair
    else await revoke(own)
    await pause(random.between(...everyMs))
  }
}
