import { type Bearer, type Coverage, createCoverage } from './coverage.js'
import {
  type Call,
  type History,
  isSuccess,
  overlap,
  resultOf,
  type Revocation,
  type Span
} from './history.js'
import { missingRecoveries } from './recovery.js'

export type Rule =
  | 'accepted after its revocation'
  | 'refused without cause'
  | 'odd answer'
  | 'too slow'
  | 'no recovery'

/** One promise that was not kept. */
export interface Violation extends Span {
  readonly rule: Rule
  readonly detail: string
  readonly call?: Call
  /** The revocation that should have prevented it. */
  readonly revocation?: Revocation
}

export interface Promises {
  /** Within this time every call is answered, in ms. */
  readonly deadlineMs: number
  /** Within this time of the end of all faults every node accepts good tokens again, in ms. */
  readonly recoveryMs: number
  /** `REFRESH_GRACE`, in ms. */
  readonly graceMs: number
}

/**
 * Takes a whole history and reports everything in it that the service promised never to do. Pure.
 * What a history leaves open (which of two overlapping calls was first, or whether a revocation that
 * was not answered took effect) is held against nobody.
 */
export function check(history: History, promises: Promises): Violation[] {
  const coverage = withMemory(createCoverage(history, promises.graceMs))
  const ofCalls = history.calls.flatMap((call) => [
    ...accepted(call, coverage),
    ...refused(call, coverage),
    ...odd(call),
    ...slow(call, history, promises)
  ])
  return [...ofCalls, ...missingRecoveries(history, promises.recoveryMs)].sort(
    (one, other) => one.start - other.start
  )
}

/** What a call presented to be judged; the routes that take dead tokens as well have none. */
function presented(call: Call): Bearer | undefined {
  if (call.kind === 'login') return undefined
  if (call.kind !== 'revocation') return call.token
  return call.takesDead === true ? undefined : call.by
}

function* accepted(call: Call, coverage: Coverage): Generator<Violation> {
  const token = presented(call)
  if (token === undefined || !isSuccess(call)) return
  const { since, by } = coverage.dead(token)
  if (call.start > since) {
    const detail = `started ${ms(call.start - since)} after the revocation had been answered`
    yield {
      ...violation('accepted after its revocation', call, detail),
      ...(by && { revocation: by })
    }
  }
}

function* refused(call: Call, coverage: Coverage): Generator<Violation> {
  const token = presented(call)
  if (token === undefined || !isRefusal(call)) return
  if (call.kind === 'refresh' && coverage.isSuperseded(call)) return
  if (call.end <= coverage.doubtedSince(token, call)) {
    yield violation('refused without cause', call, `${resultOf(call)}, though nothing covers it`)
  }
}

function isRefusal(call: Call): boolean {
  const result = resultOf(call)
  if (call.kind !== 'refresh') return result === 'TOKEN_REVOKED'
  return result === 'INVALID_REFRESH_TOKEN' || result === 'REFRESH_REUSED'
}

/** How long before its end a token may be called expired: its `exp` is in whole seconds. */
const expiryToleranceMs = 1_000

function* odd(call: Call): Generator<Violation> {
  const { outcome } = call
  if (outcome.kind === 'unanswered') return
  const { status, retryAfter } = outcome
  const isGood =
    (status >= 200 && status < 300) ||
    isRefusal(call) ||
    (status === 503 && retryAfter) ||
    (outcome.code === 'TOKEN_EXPIRED' && isExpired(call)) ||
    (outcome.code === 'INVALID_CREDENTIALS' && call.kind !== 'visit' && call.kind !== 'refresh')
  if (!isGood) yield violation('odd answer', call, `${status} ${outcome.code ?? ''}`)
}

function isExpired(call: Call): boolean {
  const token = call.kind === 'revocation' ? call.by : call.kind === 'visit' && call.token
  return token ? call.end >= token.expiresAt - expiryToleranceMs : false
}

function* slow(call: Call, history: History, { deadlineMs }: Promises): Generator<Violation> {
  const away = history.faults.filter(
    (fault) => fault.nodes.includes(call.node) && overlap(fault, call)
  )
  if (call.outcome.kind === 'unanswered' && away.length === 0) {
    yield violation('odd answer', call, `no answer: ${call.outcome.reason}`)
  }
  const since = Math.max(call.start, ...away.map(({ end }) => end))
  if (call.end - since > deadlineMs) {
    yield violation('too slow', call, `${resultOf(call)} after ${ms(call.end - call.start)}`)
  }
}

function violation(rule: Rule, call: Call, detail: string): Violation {
  return { rule, detail, call, start: call.start, end: call.end }
}

const ms = (duration: number): string => `${duration.toFixed(1)} ms`

/** Tokens are presented over and over, and what covers one takes a while to find. */
function withMemory(coverage: Coverage): Coverage {
  const dead = new Map<Bearer, ReturnType<Coverage['dead']>>()
  const doubts = new Map<Bearer, number>()
  return {
    ...coverage,
    dead: (token) => remembered(dead, token, () => coverage.dead(token)),
    doubtedSince: (token, call) =>
      call?.kind === 'revocation'
        ? coverage.doubtedSince(token, call)
        : remembered(doubts, token, () => coverage.doubtedSince(token))
  }
}

function remembered<Key, Value>(memory: Map<Key, Value>, key: Key, find: () => Value): Value {
  const known = memory.get(key)
  if (known !== undefined) return known
  const found = find()
  memory.set(key, found)
  return found
}
