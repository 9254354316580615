import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Answer } from './client.js'
import { newSecrets, startKeycard, type TestKeycard } from './keycard.js'
import { startRedis } from './redis.js'
import { listSessions, refresh, type Tokens, tokensOf, verdict } from './session-calls.js'

/** Two nodes of one deployment: what one of them answers, the other has to know. */
export type Pair = readonly [TestKeycard, TestKeycard]

/** One node that decides from Postgres, and one that decides from Redis. */
export async function startPair(t: Test): Promise<Pair> {
  const redis = await startRedis(t)
  const shared = { secrets: newSecrets(), redisUrl: redis.url }
  const env = { ARGON2_MEMORY_KIB: '8', ARGON2_TIME: '1' }
  const first = await startKeycard(t, { ...shared, env: { ...env, REVOCATION_MODE: 'database' } })
  const { databaseUrl } = first
  const second = await startKeycard(t, { ...shared, env, databaseUrl })
  return [first, second]
}

/** One of many rounds of a race. What it asserts is gathered, so that 200 rounds are one assertion. */
export interface Round {
  readonly number: number
  /** The two nodes, in turn the one and the other first. */
  readonly nodes: Pair
  /**
   * Starts both and waits for both. Which one starts first, and by how much, differs from round to
   * round over the time that the two take, so that each step of one meets each step of the other.
   */
  readonly race: <A, B>(left: () => Promise<A>, right: () => Promise<B>) => Promise<[A, B]>
  readonly expect: (holds: boolean, complaint: string) => void
  /** Counts what came of a call; anything else than what is allowed is a complaint. */
  readonly outcome: (what: string, answer: Answer, ...allowed: (string | number)[]) => void
  /** Both tokens are refused. */
  readonly dead: (what: string, tokens: Tokens) => Promise<void>
  /** Both tokens are good. @returns the next pair, or the same one where they are not */
  readonly lives: (what: string, tokens: Tokens) => Promise<Tokens>
  /** Refused for being revoked, in turn by the one node and the other. */
  readonly deadAccess: (what: string, accessToken: string) => Promise<void>
}

const steps = 8

/** Plays so many rounds, some at a time, and asserts that none of them complains. */
export async function playRounds(
  t: Test,
  [first, second]: Pair,
  play: (round: Round) => Promise<void>,
  { rounds = 200, atOnce = 6 } = {}
): Promise<void> {
  const complaints: string[] = []
  const outcomes = new Map<string, number>()
  const stagger = createStagger()

  async function playOne(number: number): Promise<void> {
    const nodes: Pair = number % 2 === 0 ? [first, second] : [second, first]
    const complain = (complaint: string) => {
      complaints.push(`round ${number}: ${complaint}`)
    }
    const note = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    const race: Round['race'] = (left, right) => stagger(number, left, right)
    try {
      await play({ number, nodes, race, ...assertions(number, nodes, complain, note) })
    } catch (error) {
      complain(String(error))
    }
  }

  const numbers = Array.from({ length: rounds }, (_, index) => index).values()
  const lane = async () => {
    for (const number of numbers) await playOne(number)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  t.same(complaints, [], `${rounds} rounds`)
  for (const [outcome, count] of [...outcomes].sort()) t.comment(`${count} × ${outcome}`)
}

function createStagger() {
  let usualMs = 10

  return async function stagger<A, B>(
    number: number,
    left: () => Promise<A>,
    right: () => Promise<B>
  ): Promise<[A, B]> {
    const lead = ((number % (2 * steps + 1)) - steps) / steps
    const start = async <T>(work: () => Promise<T>, afterMs: number) => {
      if (afterMs > 0) await pause(afterMs)
      const startedAt = performance.now()
      const result = await work()
      usualMs += (performance.now() - startedAt - usualMs) / 8
      return result
    }
    return await Promise.all([start(left, lead * usualMs), start(right, -lead * usualMs)])
  }
}

function assertions(
  number: number,
  [node, other]: Pair,
  complain: (complaint: string) => void,
  note: (outcome: string) => void
): Pick<Round, 'expect' | 'outcome' | 'dead' | 'lives' | 'deadAccess'> {
  // Over four rounds each of the two is asked in each of its roles.
  const asked = number % 4 < 2 ? node : other

  function expect(holds: boolean, complaint: string): void {
    if (!holds) complain(complaint)
  }

  async function deadAccess(what: string, accessToken: string): Promise<void> {
    const came = verdict(await listSessions(asked, accessToken))
    expect(came === 'TOKEN_REVOKED', `${what}: the list answered ${came}`)
  }

  return {
    expect,
    deadAccess,
    outcome(what, answer, ...allowed) {
      const came = verdict(answer)
      note(`${what}: ${came}`)
      expect(allowed.includes(came), `${what} answered ${came}`)
    },
    async dead(what, { accessToken, refreshToken }) {
      await deadAccess(what, accessToken)
      const came = verdict(await refresh(other, refreshToken))
      const refused = came === 'INVALID_REFRESH_TOKEN' || came === 'REFRESH_REUSED'
      expect(refused, `${what}: refresh answered ${came}`)
    },
    async lives(what, tokens) {
      const visit = verdict(await listSessions(other, tokens.accessToken))
      expect(visit === 200, `${what}: the list answered ${visit}`)
      const refreshed = await refresh(node, tokens.refreshToken)
      expect(refreshed.status === 200, `${what}: refresh answered ${verdict(refreshed)}`)
      return refreshed.status === 200 ? tokensOf(refreshed) : tokens
    }
  }
}
