/**
 * What the guard costs: the CPU time of a request to a guarded route as a multiple of that to the same route without
 * a guard, at a fixed rate, with many tokens in rotation. Rounds of the two take turns, as others use the machine too.
 *
 *   npm run bench:guard -- [--check FILE] [--seconds N] [--rounds N] [--rate N]
 *
 * FILE exports `createCheck`, a function that resolves with the guard's check and, where it needs one, its end:
 * `{ check, close? }`. Without it, the guard asks a state of this process in which 1,000 others are revoked.
 */
import { fork } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import Fastify from 'fastify'
import { systemClock } from '../src/clock.js'
import guard, { type GuardOptions } from '../src/plugins/guard.js'
import { createRememberedDecision } from '../src/revocation/remembered-decision.js'
import { RevocationState } from '../src/revocation/state.js'
import { createAccessTokens } from '../src/tokens/access-tokens.js'
import { generateKeyRing } from '../src/tokens/key-generation.js'
import { keyRingFromSecret, parseKeyRing, type KeyRing } from '../src/tokens/key-ring.js'
import type { Round, RoundResult } from './open-loop-driver.js'

const { values: flags } = parseArgs({
  options: {
    check: { type: 'string' },
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '11' },
    rate: { type: 'string', default: '2000' }
  }
})
const tokensInRotation = 500
const ttlSeconds = 3_600

interface CheckSource {
  readonly check: GuardOptions['check']
  readonly close?: () => Promise<void>
}

async function createCheck(): Promise<CheckSource> {
  if (flags.check !== undefined) return await createCheckOf(flags.check)
  const state = new RevocationState(1)
  const liveUntil = Date.now() + ttlSeconds * 1_000
  for (let count = 0; count < 1_000; count++) {
    state.apply({ kind: 'session', target: randomUUID(), liveUntil })
  }
  return { check: createRememberedDecision(state) }
}

async function createCheckOf(file: string): Promise<CheckSource> {
  const module: unknown = await import(pathToFileURL(resolve(file)).href)
  if (!hasCreateCheck(module)) throw new Error(`${file} exports no createCheck`)
  return await module.createCheck()
}

function hasCreateCheck(module: unknown): module is { createCheck: () => Promise<CheckSource> } {
  return (
    typeof module === 'object' &&
    module !== null &&
    'createCheck' in module &&
    typeof module.createCheck === 'function'
  )
}

/** A server with the two routes, and tokens that it accepts. */
async function startServer(keyRing: KeyRing, { check }: CheckSource) {
  const [issuer, audience] = ['https://bench.example', 'bench']
  const accessTokens = createAccessTokens({
    keyRing,
    issuer,
    audience,
    ttlSeconds,
    clock: systemClock
  })
  const tokens = Array.from({ length: tokensInRotation }, () => {
    const ids = { userId: randomUUID(), sessionId: randomUUID() }
    return accessTokens.issue({ ...ids, version: 1, generation: 1, roles: ['user'] }).token
  })
  const app = Fastify()
  await app.register(guard, { accessTokens, check })
  const answer = async () => ({ hello: 'world' })
  app.get('/bare', answer)
  app.get('/guarded', { onRequest: app.authenticate }, answer)
  return { app, url: await app.listen({ host: '127.0.0.1', port: 0 }), tokens }
}

const driver = fork(new URL('open-loop-driver.ts', import.meta.url))

driver.once('exit', (code) => {
  if (code !== 0) process.exit(1)
})

function roundResult(message: unknown): RoundResult {
  const isResult = typeof message === 'object' && message !== null && 'answers' in message
  if (!isResult) throw new Error('The driver says something else')
  return message as RoundResult
}

/** CPU time of this process per request, in microseconds. */
async function measure(url: string, tokens: readonly string[]): Promise<number> {
  const perSecond = Number(flags.rate)
  const round: Round = { url, tokens, perSecond, seconds: Number(flags.seconds) }
  const start = process.cpuUsage()
  driver.send(round)
  const messages: unknown[] = await once(driver, 'message')
  const { user, system } = process.cpuUsage(start)
  const { answers, outcomes } = roundResult(messages[0])
  if (outcomes['200'] !== answers)
    throw new Error(`Not every answer was 200: ${JSON.stringify(outcomes)}`)
  return (user + system) / answers
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? NaN
}

async function compare(name: string, keyRing: KeyRing, source: CheckSource): Promise<void> {
  const { app, url, tokens } = await startServer(keyRing, source)
  for (const path of ['/bare', '/guarded']) await measure(url + path, tokens) // Warms up.
  const pairs: { bare: number; guarded: number }[] = []
  for (let round = 0; round < Number(flags.rounds); round++) {
    const bare = await measure(`${url}/bare`, tokens)
    const guarded = await measure(`${url}/guarded`, tokens)
    pairs.push({ bare, guarded })
  }
  const bare = median(pairs.map((pair) => pair.bare))
  const guarded = median(pairs.map((pair) => pair.guarded))
  const ratio = median(pairs.map((pair) => pair.guarded / pair.bare))
  console.log(
    `${name.padEnd(6)} bare ${bare.toFixed(1)} µs, guarded ${guarded.toFixed(1)} µs: ${ratio.toFixed(3)} times`
  )
  await app.close()
}

const source = await createCheck()
await compare('HS256', keyRingFromSecret(randomBytes(32).toString('base64url')), source)
await compare('EdDSA', parseKeyRing(await generateKeyRing('EdDSA')), source)
await source.close?.()
driver.disconnect()
