import { requestBytes } from '../load/driver/connection.js'
import type { Planned } from '../load/driver/drive.js'
import { ownPostgres } from './backends.js'
import type { Context, Part } from './context.js'
import { startDeployment } from './deployment.js'
import { ask, assertAll, closed, send } from './loads.js'
import { meterCpu, sumOf } from './meter.js'
import { pgbenchVersion, runPgbench } from './pgbench.js'
import { type Column, rowsOf, type RoundsByName, type Section, timesOf } from './report.js'
import { inRoundsOf, type Subject } from './rounds.js'
import { refreshTokenOf, seedUsers } from './seed.js'
import { noProcesses, startBetterAuth } from './variants.js'

/** Each client of pgbench has so many to itself; Keycard's and better-auth's are shared. */
const sessionsPerClient = 100
const columns: readonly Column[] = [
  { key: 'perSecond', label: 'refreshes/s', digits: 0, ratio: true },
  { key: 'cpuUs', label: 'CPU µs/refresh', digits: 0, ratio: true },
  { key: 'p99Ms', label: 'p99 ms', digits: 2 }
]

/** How many sessions are refreshed, beside how many rows Postgres can swap for as many clients. */
export const refresh: Part = async (context) => {
  const { options, say } = context
  const limit = await pgbenchVersion()
  const refreshers = [
    ...(limit === undefined ? [] : [await startLimit(context)]),
    await startKeycard(context),
    await startPeer(context)
  ]
  if (limit === undefined) say('there is no pgbench on this machine: no limit to compare with')
  const baseline = limit === undefined ? 'Keycard' : 'pgbench, one row swapped'
  await inRoundsOf(context, 'refresh', refreshers, (rounds) =>
    sectionOf(rounds, baseline, options.refreshClients)
  )
}

function sectionOf(rounds: RoundsByName, baseline: string, clients: number): Section {
  return {
    id: 'refresh',
    title: `Refreshes, ${clients} at once`,
    baseline,
    columns,
    rows: rowsOf(columns, rounds, baseline),
    goals:
      baseline === 'Keycard'
        ? []
        : [
            {
              what: 'refreshes/s of Keycard to pgbench',
              bound: 'at least',
              wanted: 0.5,
              measured: timesOf(rounds, 'perSecond', 'Keycard', baseline)
            }
          ]
  }
}

async function startLimit({ lifetime, options }: Context): Promise<Subject> {
  const { url, sql, pid } = await ownPostgres(lifetime)
  const clients = options.refreshClients
  await seedUsers(sql, clients * sessionsPerClient)
  return {
    name: 'pgbench, one row swapped',
    async measure(seconds) {
      let stop = meterCpu({ ...noProcesses, postgres: [pid] })
      const { done, perSecond } = await runPgbench({
        ...{ url, sql, clients, sessionsPerClient },
        seconds: Math.ceil(seconds),
        onReady: () => {
          stop = meterCpu({ ...noProcesses, postgres: [pid] })
        }
      })
      return { perSecond, cpuUs: sumOf(stop()) / done, p99Ms: NaN }
    }
  }
}

async function startKeycard(context: Context): Promise<Subject> {
  const clients = context.options.refreshClients
  const sessions = clients * sessionsPerClient
  const { nodes, processes } = await startDeployment(context, { users: sessions })
  const next = refreshing(Array.from({ length: sessions }, (_, index) => refreshTokenOf(index + 1)))
  return {
    name: 'Keycard',
    async measure(seconds) {
      const stop = meterCpu(processes)
      const load = { mode: closed, connections: clients, seconds }
      const figures = await send([nodes[0].url], next, load)
      const cpuUs = sumOf(stop()) / figures.answers
      assertAll(200, 'A refresh', figures)
      return { perSecond: figures.perSecond, cpuUs, p99Ms: figures.p99Ms }
    }
  }
}

/** Refreshes of the session that has rested longest: each answer holds the token for its next one. */
export function refreshing(tokens: readonly string[]): () => Planned | undefined {
  let resting = [...tokens]
  let answered: string[] = []
  let taken = 0
  return () => {
    if (taken === resting.length) {
      resting = answered
      answered = []
      taken = 0
    }
    const refreshToken = resting[taken++]
    if (refreshToken === undefined) return undefined
    const request = requestBytes({
      method: 'POST',
      path: '/api/auth/refresh',
      body: { refreshToken }
    })
    return {
      name: 'refresh',
      request,
      onAnswer: ({ status, body }) => {
        if (status === 200) answered.push(refreshTokenIn(body))
      }
    }
  }
}

function refreshTokenIn(body: string): string {
  const answer: unknown = JSON.parse(body)
  const hasToken = typeof answer === 'object' && answer !== null && 'refreshToken' in answer
  if (!hasToken || typeof answer.refreshToken !== 'string') {
    throw new TypeError('A refresh was answered without a refresh token')
  }
  return answer.refreshToken
}

async function startPeer(context: Context): Promise<Subject> {
  const peer = await startBetterAuth(context, 'refresh')
  return {
    name: 'better-auth',
    async measure(seconds) {
      const stop = meterCpu(peer.processes)
      const connections = context.options.refreshClients
      const figures = await ask(peer, { mode: closed, connections, seconds })
      const cpuUs = sumOf(stop()) / figures.answers
      assertAll(200, 'A refresh of better-auth', figures)
      return { perSecond: figures.perSecond, cpuUs, p99Ms: figures.p99Ms }
    }
  }
}
