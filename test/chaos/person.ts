import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { Calls } from './calls.js'
import { isSuccess, resultOf } from './history.js'
import { createImpatience } from './impatience.js'
import type { Random } from './random.js'
import type { Pair, Result } from './recorder.js'

export interface PersonOptions {
  readonly calls: Calls
  readonly random: Random
  /** A node to ask now. */
  readonly node: () => number
  readonly signal: AbortSignal
}

interface Session {
  pair: Pair
  /** The pair before the one before: its refresh token is used up for good. */
  readonly earlier: Pair[]
}

const thinkMs = [80, 320] as const
const mostSessions = 3
const retries = 4
const retryMs = 150

const newPassword = (): string => randomBytes(12).toString('base64url')
const newEmail = (): string => `${randomUUID()}@example.com`

/** Somebody who logs in from several places, uses the service and ends sessions, until told to stop. */
export async function live({ calls, random, node, signal }: PersonOptions): Promise<void> {
  let email = newEmail()
  /** More than one while it isn't known whether a change took effect; the likeliest comes first. */
  let passwords = [newPassword()]
  let sessions: Session[] = []
  const patiently = createImpatience(signal)

  const password = (): string => passwords[0] ?? ''
  const without = (session: Session): void => {
    sessions = sessions.filter((other) => other !== session)
  }

  async function enter(how: 'register' | 'logIn'): Promise<boolean> {
    const entered = await patiently(calls[how](node(), { email, password: password() }))
    if (entered?.pair !== undefined) sessions.push({ pair: entered.pair, earlier: [] })
    const isWrong = entered !== undefined && resultOf(entered.result) === 'INVALID_CREDENTIALS'
    if (isWrong) passwords = [...passwords.slice(1), password()]
    return entered?.pair !== undefined
  }

  async function logInAgain(): Promise<void> {
    await enter('logIn')
  }

  async function visit(session: Session): Promise<void> {
    const result = await patiently(calls.visit(node(), session.pair.access))
    if (result !== undefined && resultOf(result).startsWith('TOKEN_')) await refresh(session)
  }

  async function refresh(session: Session, from = session.pair): Promise<void> {
    const refreshed = await patiently(calls.refresh(node(), from.refresh))
    if (refreshed === undefined) return
    if (refreshed.pair !== undefined) {
      session.earlier.push(session.pair)
      session.pair = refreshed.pair
    } else if (refreshed.result.outcome.kind === 'answered') {
      if (refreshed.result.outcome.status === 401) without(session)
    }
  }

  /** The same call again until it is confirmed, as the answer asks for. */
  async function insist(call: () => Promise<Result>): Promise<Result | undefined> {
    for (let count = 0; count < retries && !signal.aborted; count++) {
      const result = await patiently(call())
      const isOver = result?.outcome.kind === 'answered' && result.outcome.status !== 503
      if (isOver) return result
      await pause(retryMs)
    }
    return undefined
  }

  async function logOut(session: Session): Promise<void> {
    without(session)
    await insist(() => calls.logOut(node(), session.pair.access))
  }

  async function endAnother(session: Session): Promise<void> {
    const other = random.pick(sessions)
    without(other)
    const { sid } = other.pair.access.facts
    await insist(() => calls.endSession(node(), session.pair.access, sid))
  }

  async function logOutEverywhere(session: Session): Promise<void> {
    sessions = []
    await insist(() => calls.logOutEverywhere(node(), session.pair.access))
  }

  async function changePassword(session: Session): Promise<void> {
    const [current, next] = [password(), newPassword()]
    passwords = [...passwords, next].slice(-4)
    const result = await patiently(calls.changePassword(node(), session.pair.access, current, next))
    if (result !== undefined && isSuccess(result)) {
      passwords = [next]
      sessions = [session]
    }
  }

  /** As a thief of an old refresh token would, or a client that was set back. */
  async function reuse(session: Session): Promise<void> {
    const stale = session.earlier.at(-2)
    if (stale !== undefined) await refresh(session, stale)
  }

  async function act(): Promise<void> {
    const session = sessions.length > 0 ? random.pick(sessions) : undefined
    if (session === undefined) await logInAgain()
    else await use(session)
  }

  async function use(session: Session): Promise<void> {
    const dice = random.between(0, 100)
    if (sessions.length > mostSessions || dice < 7) return await logOut(session)
    if (dice < 11) return await endAnother(session)
    if (dice < 13) return await logOutEverywhere(session)
    if (dice < 15) return await changePassword(session)
    if (dice < 17) return await reuse(session)
    if (dice < 27) return await logInAgain()
    if (dice < 42) return await refresh(session)
    return await visit(session)
  }

  while (!signal.aborted && !(await enter('register'))) {
    // An account may have been made though the answer was lost.
    email = newEmail()
    await pause(retryMs)
  }
  while (!signal.aborted) {
    await act()
    await pause(random.between(...thinkMs))
  }
}
