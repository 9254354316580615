import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Answer, Client } from './client.js'
import { eventually } from './eventually.js'
import { verdict } from './session-calls.js'

/** An access token that is presented over and over. Times are those of `performance.now()`. */
export interface Card {
  readonly label: string
  readonly token: string
  /** When its revocation was asked for; since then it may be refused. */
  askedAt?: number
  /** When that was answered with success; a request that starts later must not be accepted. */
  deadSince?: number
}

interface Visit {
  readonly card: Card
  readonly node: string
  readonly startedAt: number
  readonly endedAt: number
  /** The code of a problem, the status of anything else, or why there was no answer. */
  readonly answer: string | number
  readonly retryAfter: boolean
}

/** Sends requests to protected routes all the time and keeps what became of each. */
export interface Hammer {
  /** Presents a token at every node from now on. */
  readonly present: (label: string, token: string) => Card
  /** Revokes these cards by a call; they are dead once it is answered with success. */
  readonly revoke: (cards: readonly Card[], call: () => Promise<Answer>) => Promise<Answer>
  /** Done when every card was presented at every node so many more times, from its start on. */
  readonly rounds: (count: number) => Promise<void>
  /** Ends the requests and asserts that every one of them was answered as promised. */
  readonly finish: (t: Test) => Promise<void>
}

const gapMs = 15
/** Far above what Redis and Postgres are given together, for machines that are busy. */
const patienceMs = 8_000

/** Presents cards at every one of `nodes` until it is finished, or `t` ends. */
export function startHammer(t: Test, nodes: readonly Client[]): Hammer {
  const visits: Visit[] = []
  const presenting: Promise<void>[] = []
  const counts: (() => number)[] = []
  const stopping = new AbortController()

  async function stop(): Promise<void> {
    stopping.abort()
    await Promise.all(presenting)
  }

  async function present(card: Card, node: Client): Promise<void> {
    let count = 0
    counts.push(() => count)
    while (!stopping.signal.aborted) {
      visits.push(await visit(card, node))
      count++
      await pause(gapMs)
    }
  }

  t.teardown(stop)
  return {
    present(label, token) {
      const card: Card = { label, token }
      for (const node of nodes) presenting.push(present(card, node))
      return card
    },
    async revoke(cards, call) {
      const askedAt = performance.now()
      for (const card of cards) card.askedAt ??= askedAt
      const answer = await call()
      if (answer.status < 300) for (const card of cards) card.deadSince ??= performance.now()
      return answer
    },
    async rounds(count) {
      // One more, for the request that is under way.
      const goals = counts.map((current) => ({ current, goal: current() + count + 1 }))
      await eventually(
        `${count} more rounds`,
        () => goals.every(({ current, goal }) => current() >= goal),
        { withinMs: (count + 1) * patienceMs }
      )
    },
    async finish(t) {
      await stop()
      assertKept(t, visits)
    }
  }
}

async function visit(card: Card, node: Client): Promise<Visit> {
  const startedAt = performance.now()
  const outcome = await node.get('/api/auth/me', { token: card.token }).then(
    (answer) => ({ answer: verdict(answer), retryAfter: answer.headers.has('retry-after') }),
    (error: unknown) => ({ answer: String(error), retryAfter: false })
  )
  return { card, node: node.url, startedAt, endedAt: performance.now(), ...outcome }
}

function assertKept(t: Test, visits: readonly Visit[]): void {
  const { length } = visits
  const which = (wrong: (visit: Visit) => boolean) => visits.filter(wrong).map(description)
  t.ok(length > 0, `${length} requests were sent`)
  t.same(which(isAcceptedAfterDeath), [], 'no card was accepted after its revocation was answered')
  t.same(which(isRefusedWithoutCause), [], 'no card was refused that nobody had revoked')
  t.same(which(isOdd), [], 'every answer was 200, 401 or 503 with Retry-After')
  t.same(which(isSlow), [], 'every answer came in time')
}

function isAcceptedAfterDeath({ card, startedAt, answer }: Visit): boolean {
  return answer === 200 && card.deadSince !== undefined && startedAt > card.deadSince
}

function isRefusedWithoutCause({ card, endedAt, answer }: Visit): boolean {
  return answer === 'TOKEN_REVOKED' && (card.askedAt === undefined || endedAt < card.askedAt)
}

function isOdd({ answer, retryAfter }: Visit): boolean {
  if (answer === 'DEPENDENCY_UNAVAILABLE') return !retryAfter
  return answer !== 200 && answer !== 'TOKEN_REVOKED'
}

function isSlow({ startedAt, endedAt }: Visit): boolean {
  return endedAt - startedAt > patienceMs
}

function description({ card, node, startedAt, endedAt, answer }: Visit) {
  const at = Math.round(startedAt)
  return { card: card.label, node, answer, at, tookMs: Math.round(endedAt - startedAt), ...card }
}
