import { setTimeout as pause } from 'node:timers/promises'
import { createMeter, type Measured, type Second } from './measured.js'
import { type Connection, openConnection, type Target } from './connection.js'
import { createQueue } from './queue.js'

/** Times are milliseconds of `performance.now()`. */
export interface Answer {
  /** 0 where the connection broke. */
  readonly status: number
  readonly body: string
  /** Who gave it. */
  readonly target: Target
  readonly dueAt: number
  readonly sentAt: number
  readonly receivedAt: number
}

/** A request as it is about to be sent. */
export interface Planned {
  /** What kind of request it is: each is measured for itself. */
  readonly name: string
  readonly request: Buffer
  readonly onAnswer?: (answer: Answer) => void
}

/**
 * `open`: so many requests are due each second, whether or not the answers keep up, and a latency counts
 * from the moment at which its request was due, so that a server that stalls is not spared the requests that it
 * kept from being sent (no coordinated omission). `closed`: each connection sends its next request as soon as
 * it was answered, which finds the greatest throughput.
 */
export type Mode =
  { readonly kind: 'open'; readonly perSecond: number } | { readonly kind: 'closed' }

export interface DriveOptions {
  /** Connections are shared evenly among them, and take turns. */
  readonly targets: readonly Target[]
  readonly connections: number
  /**
   * An open loop opens up to so many where answers don't keep up; beyond that, requests wait for each other.
   * `connections` by default.
   */
  readonly mostConnections?: number
  readonly mode: Mode
  readonly durationMs: number
  /** The request of this number, counted from 0; undefined where there is none to be sent, which counts as dropped. */
  readonly next: (sequence: number) => Planned | undefined
  readonly onSecond?: (second: Second) => void
  /** How long the last answers are waited for: 10 s. What has none by then counts as a connection that broke. */
  readonly patienceMs?: number
  readonly signal?: AbortSignal
}

export interface Driven {
  /** Until the end or the last answer, whichever was later. */
  readonly durationMs: number
  readonly byName: ReadonlyMap<string, Measured>
  readonly all: Measured
  readonly seconds: readonly Second[]
  /** Requests that were due and never sent. */
  readonly dropped: number
}

interface Due {
  readonly planned: Planned
  readonly dueAt: number
}

/** So much before its time a timer may ring. */
const earlyMs = 5
/** Beyond this a server has long fallen behind for good. */
const longestQueue = 20_000

/** Sends a load and measures the answers. */
export async function drive(options: DriveOptions): Promise<Driven> {
  const { targets, connections: count, mode, durationMs, next, onSecond, signal } = options
  const { patienceMs = 10_000 } = options
  const most = mode.kind === 'open' ? Math.max(count, options.mostConnections ?? 0) : count
  const meter = createMeter()
  const connections: Connection[] = []
  const idle = createQueue<Connection>()
  const queue = createQueue<Due>()
  let sequence = 0
  let underWay = 0
  let dropped = 0
  let hasGivenUp = false
  let onQuiet: (() => void) | undefined
  for (let opened = 0; opened < count; opened++) idle.push(anotherConnection())
  const startedAt = performance.now()
  const endsAt = startedAt + durationMs
  let lastAnswerAt = startedAt
  const isOver = (): boolean => performance.now() >= endsAt || signal?.aborted === true

  function anotherConnection(): Connection {
    const target = targets[connections.length % targets.length]
    if (target === undefined) throw new RangeError('There is no target')
    const connection = openConnection(target)
    connections.push(connection)
    return connection
  }

  function send(connection: Connection, { planned, dueAt }: Due): void {
    const sentAt = performance.now()
    underWay++
    connection.send(planned.request, (raw) => {
      const receivedAt = performance.now()
      lastAnswerAt = receivedAt
      underWay--
      meter.record(planned.name, raw.status, receivedAt - dueAt)
      planned.onAnswer?.({ ...raw, target: connection.target, dueAt, sentAt, receivedAt })
      goOn(connection)
      if (underWay === 0) onQuiet?.()
    })
  }

  function goOn(connection: Connection): void {
    if (hasGivenUp) return
    const waiting = queue.shift()
    if (waiting !== undefined) {
      send(connection, waiting)
      return
    }
    const planned = mode.kind === 'closed' && !isOver() ? next(sequence++) : undefined
    if (planned === undefined) idle.push(connection)
    else send(connection, { planned, dueAt: performance.now() })
  }

  function submit(due: Due): void {
    const connection = idle.shift() ?? (connections.length < most ? anotherConnection() : undefined)
    if (connection !== undefined) send(connection, due)
    else if (queue.length() < longestQueue) queue.push(due)
    else dropped++
  }

  function tick(): void {
    const second = meter.tick()
    onSecond?.(second)
  }
  const ticking = setInterval(tick, 1_000)
  if (mode.kind === 'open') await submitOnTime(mode.perSecond)
  else {
    for (let started = 0; started < count; started++) {
      const connection = idle.shift()
      if (connection !== undefined) goOn(connection)
    }
    await over(endsAt, signal)
  }

  async function submitOnTime(perSecond: number): Promise<void> {
    const total = Math.floor((durationMs / 1_000) * perSecond)
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const now = performance.now()
        const due = Math.min(total, Math.floor(((now - startedAt) / 1_000) * perSecond) + 1)
        while (sequence < due) {
          const dueAt = startedAt + (sequence / perSecond) * 1_000
          const planned = next(sequence++)
          if (planned === undefined) dropped++
          else submit({ planned, dueAt })
        }
        if (sequence < total && signal?.aborted !== true) return
        clearInterval(timer)
        resolve()
      }, 1)
    })
    await over(endsAt, signal)
  }

  const endedAt = performance.now()
  if (underWay > 0) {
    await new Promise<void>((resolve) => {
      const givingUp = setTimeout(resolve, patienceMs)
      onQuiet = () => {
        clearTimeout(givingUp)
        resolve()
      }
    })
  }
  clearInterval(ticking)
  hasGivenUp = true
  dropped += queue.length()
  for (const connection of connections) connection.close()
  // The second that ended with the run, where the answers were all there.
  if (meter.seconds.length < Math.floor((endedAt - startedAt + earlyMs) / 1_000)) tick()
  return {
    durationMs: Math.max(endedAt, lastAnswerAt) - startedAt,
    byName: meter.byName,
    all: { histogram: meter.all, statuses: statusesOf(meter.byName) },
    seconds: meter.seconds,
    dropped
  }
}

async function over(at: number, signal: AbortSignal | undefined): Promise<void> {
  const leftMs = Math.max(0, at - performance.now())
  await pause(leftMs, undefined, signal && { signal }).catch(() => undefined)
}

function statusesOf(byName: ReadonlyMap<string, Measured>): Map<number, number> {
  const sum = new Map<number, number>()
  for (const { statuses } of byName.values()) {
    for (const [status, count] of statuses) sum.set(status, (sum.get(status) ?? 0) + count)
  }
  return sum
}
