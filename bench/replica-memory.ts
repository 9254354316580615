/**
 * What the replica of the live revocations costs: memory, time per decision, and the longest pause while it grows.
 * Run it with `npm run bench:replica`.
 */
import { randomBytes, randomUUID } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { systemClock } from '../src/clock.js'
import { type CoveredClaims, decide } from '../src/revocation/decision.js'
import { type RevocationEvent, RevocationState } from '../src/revocation/state.js'
import { createAccessTokens } from '../src/tokens/access-tokens.js'
import { keyRingFromSecret } from '../src/tokens/key-ring.js'

const million = 1_000_000
const tokensInRotation = 500
const decisionsPerRound = 500_000
const rounds = 9

function collectGarbage(): void {
  if (globalThis.gc === undefined) throw new Error('Run it with node --expose-gc')
  // What frees a buffer runs after the collection that found it.
  for (let count = 0; count < 3; count++) globalThis.gc()
}

/** Heap and typed arrays, without garbage. */
function memoryInUse(): number {
  collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** As the guard has them: verified tokens give texts that were parsed, which V8 reads faster than composed ones. */
function newClaims(): CoveredClaims {
  const grant = { userId: uuidv7(), sessionId: uuidv7(), version: 1, generation: 1, roles: [] }
  const verification = accessTokens.verify(accessTokens.issue(grant).token)
  if (verification.kind !== 'valid') throw new Error(`A new token is ${verification.kind}`)
  return verification.claims
}

/** Mostly of sessions, as logouts are. */
function newEvent(index: number): RevocationEvent {
  const liveUntil = Date.now() + 900_000
  if (index % 10 === 0) return { kind: 'token', target: uuidv7(), liveUntil }
  if (index % 10 === 1) return { kind: 'user', target: randomUUID(), level: 2, liveUntil }
  return { kind: 'session', target: uuidv7(), liveUntil }
}

interface Growth {
  readonly longestPauseMs: number
  readonly totalMs: number
}

function growTo(state: RevocationState, size: number): Growth {
  let longestPauseMs = 0
  let totalMs = 0
  for (let index = state.size; index < size; index++) {
    const event = newEvent(index)
    const start = performance.now()
    state.apply(event)
    const tookMs = performance.now() - start
    totalMs += tookMs
    longestPauseMs = Math.max(longestPauseMs, tookMs)
  }
  return { longestPauseMs, totalMs }
}

/** CPU time, which others on the machine disturb least: the median of rounds over tokens that nobody revoked. */
function nanosecondsPerDecision(state: RevocationState, claims: readonly CoveredClaims[]): number {
  const times = Array.from({ length: rounds }, () => {
    let live = 0
    const start = process.cpuUsage()
    for (let count = 0; count < decisionsPerRound / claims.length; count++) {
      for (const token of claims) if (decide(token, state).kind === 'live') live++
    }
    const { user, system } = process.cpuUsage(start)
    if (live !== decisionsPerRound) throw new Error('A token is revoked that nobody revoked')
    return ((user + system) * 1e3) / decisionsPerRound
  })
  return times.toSorted((one, other) => one - other)[Math.floor(rounds / 2)] ?? NaN
}

const accessTokens = createAccessTokens({
  keyRing: keyRingFromSecret(randomBytes(32).toString('base64url')),
  issuer: 'bench',
  audience: 'bench',
  ttlSeconds: 900,
  clock: systemClock
})
const claims = Array.from({ length: tokensInRotation }, newClaims)
const residentBefore = process.memoryUsage().rss
const before = memoryInUse()
const state = new RevocationState(1)

nanosecondsPerDecision(state, claims) // Warms up.
const withNone = nanosecondsPerDecision(state, claims)
growTo(state, 1_000)
const withThousand = nanosecondsPerDecision(state, claims)
const growth = growTo(state, million)
const withMillion = nanosecondsPerDecision(state, claims)
const bytes = memoryInUse() - before

console.log(`${state.size.toLocaleString('en')} live revocations
memory              ${(bytes / state.size).toFixed(1)} bytes each, ${megabytes(bytes)} MB
resident, grown by  ${megabytes(process.memoryUsage().rss - residentBefore)} MB
decide, ns          ${[withNone, withThousand, withMillion].map((time) => time.toFixed(0)).join(' / ')} with none / 1,000 / 1,000,000
apply               ${((growth.totalMs * 1e6) / million).toFixed(0)} ns each, the longest pause ${growth.longestPauseMs.toFixed(2)} ms`)

function megabytes(count: number): string {
  return (count / 1e6).toFixed(1)
}
