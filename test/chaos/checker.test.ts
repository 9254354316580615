import fc from 'fast-check'
import t from 'tap'
import { check, type Violation } from './checker.js'
import { type Call, type History, isSuccess, type Outcome, resultOf } from './history.js'
import { modelGraceMs, type ModelRun, simulate } from './model.js'

const promises = { deadlineMs: 5_000, recoveryMs: 5_000, graceMs: modelGraceMs }
/** Arguments of `simulate`: what comes of them would be too long for a message. */
const runs = fc.tuple(fc.nat(), fc.integer({ min: 20, max: 250 }))

const ok: Outcome = { kind: 'answered', status: 200, retryAfter: false }
const refusal = (code: string): Outcome => ({
  kind: 'answered',
  status: 401,
  code,
  retryAfter: false
})

/** The history with one call changed, and that call. */
function withChange(history: History, call: Call, change: Partial<Call>): [History, Call] {
  const changed = { ...call, ...change } as Call
  return [
    { ...history, calls: history.calls.map((one) => (one === call ? changed : one)) },
    changed
  ]
}

/** Changes one of the calls that `isFit`, if there is any, and checks the history. */
function plant(
  { history }: ModelRun,
  choice: number,
  isFit: (call: Call) => boolean,
  change: (call: Call) => Partial<Call>
): { planted: Call; violations: Violation[] } {
  const fit = history.calls.filter(isFit)
  const call = fit[choice % Math.max(fit.length, 1)]
  fc.pre(call !== undefined)
  const [changed, planted] = withChange(history, call, change(call))
  return { planted, violations: check(changed, promises) }
}

function assertFound(
  { planted, violations }: { planted: Call; violations: Violation[] },
  rule: Violation['rule']
): void {
  const found = violations.some((one) => one.call === planted && one.rule === rule)
  if (!found) throw new Error(`Not found: ${JSON.stringify(planted)}`)
}

t.test('a service that keeps its promises is accused of nothing', async () => {
  fc.assert(
    fc.property(runs, (run) => {
      const [first] = check(simulate(...run).history, promises)
      if (first !== undefined) throw new Error(JSON.stringify(first))
    }),
    { numRuns: 1_000 }
  )
})

t.test('the histories are about something', async (t) => {
  const calls = Array.from({ length: 40 }, (_, seed) => simulate(seed, 250).history.calls).flat()
  const results = new Set(calls.map((call) => `${call.kind} ${resultOf(call)}`))
  for (const result of [
    'visit 200',
    'visit TOKEN_REVOKED',
    'refresh 200',
    'refresh INVALID_REFRESH_TOKEN',
    'refresh REFRESH_REUSED',
    'revocation 204',
    'revocation TOKEN_REVOKED',
    'revocation DEPENDENCY_UNAVAILABLE'
  ]) {
    t.ok(results.has(result), result)
  }
})

t.test('one that accepts a token after its revocation was answered is found out', async () => {
  fc.assert(
    fc.property(runs, fc.nat(), (seed, choice) => {
      const run = simulate(...seed)
      // Where a level is not known, tokens that came to be meanwhile are held against nobody.
      const isDead = (call: Call) =>
        (call.kind === 'visit' || call.kind === 'refresh') &&
        !isSuccess(call) &&
        (run.killers.get(call.token) ?? []).some(
          (by) =>
            by.end < call.start && (by.level !== undefined || call.token.minted.end <= by.start)
        )
      const outcome = plant(run, choice, isDead, () => ({ outcome: ok }))
      assertFound(outcome, 'accepted after its revocation')
    }),
    { numRuns: 1_000 }
  )
})

t.test('one that refuses a token which nothing covers is found out', async () => {
  fc.assert(
    fc.property(runs, fc.nat(), (seed, choice) => {
      const run = simulate(...seed)
      const { calls } = run.history
      const isUntouched = (call: Call) => {
        if (call.kind !== 'visit' && call.kind !== 'refresh') return false
        return isSuccess(call) && !calls.some((other) => mayHaveKilled(other, call))
      }
      const outcome = plant(run, choice, isUntouched, ({ kind }) => ({
        outcome: refusal(kind === 'visit' ? 'TOKEN_REVOKED' : 'INVALID_REFRESH_TOKEN')
      }))
      assertFound(outcome, 'refused without cause')
    }),
    { numRuns: 1_000 }
  )
})

/** Whether a call may have ended the token before the other call was over; generous. */
function mayHaveKilled(call: Call, { token, end }: Extract<Call, { kind: 'visit' | 'refresh' }>) {
  if (call.start >= end) return false
  if (call.kind === 'refresh') {
    return call.token.sid === token.sid && !(call.token === token && call.end === end)
  }
  if (call.kind !== 'revocation') return false
  const isOver = isSuccess(call) && call.end <= token.minted.start
  if (isOver && (call.scope === 'user' || call.scope === 'everyone')) return false
  const ids = [token.sid, token.sub, '', 'jti' in token ? token.jti : undefined]
  return ids.includes(call.target)
}

t.test('answers that nobody may get are found', async () => {
  const outcomes: Outcome[] = [
    { kind: 'answered', status: 500, code: 'INTERNAL_ERROR', retryAfter: false },
    { kind: 'answered', status: 503, code: 'DEPENDENCY_UNAVAILABLE', retryAfter: false },
    { kind: 'answered', status: 429, code: 'RATE_LIMITED', retryAfter: true },
    { kind: 'answered', status: 404, code: 'NOT_FOUND', retryAfter: false },
    { kind: 'unanswered', reason: 'ECONNRESET' },
    refusal('INVALID_TOKEN'),
    refusal('TOKEN_EXPIRED')
  ]
  fc.assert(
    fc.property(runs, fc.nat(), fc.constantFrom(...outcomes), (seed, choice, outcome) => {
      assertFound(
        plant(
          simulate(...seed),
          choice,
          () => true,
          () => ({ outcome })
        ),
        'odd answer'
      )
    })
  )
})

t.test('what takes too long is found, unless its node was away', async (t) => {
  const { history } = simulate(1, 100)
  const [call] = history.calls
  if (call === undefined) throw new Error('The history is empty')
  const [late, changed] = withChange(history, call, { end: call.start + 6_000 })
  const isAccused = (history: History) =>
    check(history, promises).some(({ call }) => call === changed)
  t.ok(isAccused(late), 'it took 6 seconds')
  const away = (nodes: number[], ms: number) => [
    { name: 'frozen', nodes, start: call.start, end: call.start + ms }
  ]
  t.notOk(isAccused({ ...late, faults: away([call.node], 2_000) }), 'the node was frozen for two')
  t.ok(isAccused({ ...late, faults: away([call.node], 500) }), 'for half a second: no excuse')
  t.ok(isAccused({ ...late, faults: away([call.node + 1], 2_000) }), 'another node: no excuse')
})

t.test('an answer that never came is excused only by the death of its own node', async (t) => {
  const { history } = simulate(1, 100)
  const [call] = history.calls
  if (call === undefined) throw new Error('The history is empty')
  const outcome: Outcome = { kind: 'unanswered', reason: 'ECONNREFUSED' }
  const [lost, changed] = withChange(history, call, { outcome })
  const killed = (node: number) => [
    { name: 'killed', nodes: [node], start: call.start - 1, end: call.start + 1 }
  ]
  const isAccused = (history: History) =>
    check(history, promises).some(({ call }) => call === changed)
  t.notOk(isAccused({ ...lost, faults: killed(call.node) }))
  t.ok(isAccused({ ...lost, faults: killed(call.node + 1) }))
})

t.test('a node that accepts nothing after the faults is found', async (t) => {
  const { history } = simulate(1, 100)
  const fault = { name: 'flush redis', nodes: [], start: 1_000, end: 1_500 }
  const visits = history.tokens.slice(0, 1).flatMap((token) =>
    [0, 1, 2].map((node): Call => {
      return { kind: 'visit', node, token, start: 5_000, end: 5_100, outcome: ok }
    })
  )
  const recoveries = (end: number, faults = [fault]) =>
    check({ nodes: 4, calls: visits, tokens: history.tokens, faults, end }, promises)
  t.match(recoveries(7_000), [{ rule: 'no recovery', detail: /node 3/ }])
  t.same(recoveries(6_000), [], 'it still had half a second')
  const next = { ...fault, start: 6_000, end: 6_100 }
  t.same(recoveries(9_000, [fault, next]), [], 'the next fault came too soon')
})
