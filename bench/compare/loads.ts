import { drive, type Mode, type Planned } from '../load/driver/drive.js'
import { type Target, requestBytes } from '../load/driver/connection.js'
import { type Figures, figuresOf } from '../load/driver/measured.js'
import type { RequestHead } from '../servers/process.js'

/** A route, and requests to it that take turns. */
export interface Asked {
  readonly url: string
  readonly requests: readonly RequestHead[]
}

export interface Load {
  readonly mode: Mode
  readonly connections: number
  readonly seconds: number
  readonly signal?: AbortSignal
}

export const open = (perSecond: number): Mode => ({ kind: 'open', perSecond })
/** The status under which requests are counted that were never answered. */
const lost = '0'
export const closed: Mode = { kind: 'closed' }

/** What came of a load, per second until its last answer; and how busy the one that sent it was: at 1 it measures itself. */
export interface LoadFigures extends Figures {
  readonly clientBusy: number
}

export function targetOf(url: string): Target {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port) }
}

/** Sends GET requests, to several servers at once where there are several. */
export async function ask(asked: Asked | readonly Asked[], load: Load): Promise<LoadFigures> {
  const all: readonly Asked[] = 'url' in asked ? [asked] : asked
  const plans = all[0]?.requests.map(({ headers }) => ({
    name: 'GET',
    request: requestBytes({ path: new URL(all[0]?.url ?? '').pathname, headers })
  }))
  if (plans === undefined || plans.length === 0) throw new RangeError('There is nothing to ask')
  return await send(
    all.map(({ url }) => url),
    (sequence) => plans[sequence % plans.length],
    load
  )
}

/** Sends whatever `next` makes up. */
export async function send(
  urls: readonly string[],
  next: (sequence: number) => Planned | undefined,
  { mode, connections, seconds, signal }: Load
): Promise<LoadFigures> {
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const driven = await drive({
    targets: urls.map(targetOf),
    connections,
    mode,
    durationMs: seconds * 1_000,
    next,
    ...(signal !== undefined && { signal })
  })
  const { user, system } = process.cpuUsage(cpu)
  // The last requests are answered after the duration: hashes that were waiting take a while.
  const tookMs = performance.now() - startedAt
  return { ...figuresOf(driven.all, tookMs), clientBusy: (user + system) / 1_000 / tookMs }
}

/** @throws where an answer had another status, and where one did not come unless `lossesAllowed` */
export function assertAll(
  status: number,
  what: string,
  { statuses }: Figures,
  { lossesAllowed = false } = {}
): void {
  const others = Object.keys(statuses).filter(
    (candidate) => Number(candidate) !== status && !(lossesAllowed && candidate === lost)
  )
  if (others.length > 0) {
    throw new Error(`${what} was to be answered ${status}: ${JSON.stringify(statuses)}`)
  }
}
