import { createMeter, type Measured, type Second } from './measured.js'
import { type Connection, openConnection, type Target } from './connection.js'

/** Times are milliseconds of `performance.now()`. */
export interface Answer {
  /** 0 where the connection broke. */
  readonly status: number
  readonly body: string
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
  /** Connections are shared evenly among them. */
  readonly targets: readonly Target[]
  readonly connections: number
  readonly mode: Mode
  readonly durationMs: number
  /** The request of this number, counted from 0; undefined where there is none to be sent. */
  readonly next: (sequence: number) => Planned | undefined
  readonly onSecond?: (second: Second) => void
  readonly signal?: AbortSignal
}

export interface Driven {
  readonly durationMs: number
  readonly byName: ReadonlyMap<string, Measured>
  readonly all: Measured
  readonly seconds: readonly Second[]
  /** Requests that were due and not sent, as too many waited for a connection already. */
  readonly dropped: number
}

interface Due {
  readonly planned: Planned
  readonly dueAt: number
}

/** Beyond this a server has long fallen behind for good. */
const longestQueue = 20_000
/** How long the last answers are waited for. */
const patienceMs = 10_000

/** Sends a load and measures the answers. */
export async function drive(options: DriveOptions): Promise<Driven> {
  const { targets, connections: count, mode, durationMs, next, onSecond, signal } = options
  const meter = createMeter()
  const connections = Array.from({ length: count }, (_, index) =>
    openConnection(targets[index % targets.length] ?? { host: '127.0.0.1', port: 0 })
  )
  const idle = [...connections]
  const queue: Due[] = []
  let queueHead = 0
  let sequence = 0
  let underWay = 0
  let dropped = 0
  let onQuiet: (() => void) | undefined
  const startedAt = performance.now()
  const endsAt = startedAt + durationMs
  const isOver = (): boolean => performance.now() >= endsAt || signal?.aborted === true

  function send(connection: Connection, { planned, dueAt }: Due): void {
    const sentAt = performance.now()
    underWay++
    connection.send(planned.request, (raw) => {
      const receivedAt = performance.now()
      underWay--
      meter.record(planned.name, raw.status, receivedAt - dueAt)
      planned.onAnswer?.({ ...raw, dueAt, sentAt, receivedAt })
      goOn(connection)
      if (underWay === 0) onQuiet?.()
    })
  }

  function goOn(connection: Connection): void {
    const waiting = queue[queueHead]
    if (waiting !== undefined) {
      queueHead++
      if (queueHead === queue.length) {
        queue.length = 0
        queueHead = 0
      }
      send(connection, waiting)
      return
    }
    const planned = mode.kind === 'closed' && !isOver() ? next(sequence++) : undefined
    if (planned === undefined) idle.push(connection)
    else send(connection, { planned, dueAt: performance.now() })
  }

  function submit(due: Due): void {
    const connection = idle.pop()
    if (connection !== undefined) send(connection, due)
    else if (queue.length - queueHead < longestQueue) queue.push(due)
    else dropped++
  }

  const ticking = setInterval(() => onSecond?.(meter.tick()), 1_000)
  if (mode.kind === 'open') await submitOnTime(mode.perSecond)
  else {
    for (const connection of idle.splice(0)) goOn(connection)
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
          if (planned !== undefined) submit({ planned, dueAt })
        }
        if (sequence < total && signal?.aborted !== true) return
        clearInterval(timer)
        resolve()
      }, 1)
    })
    await over(endsAt, signal)
  }

  const tookMs = performance.now() - startedAt
  clearInterval(ticking)
  if (underWay > 0) {
    await Promise.race([
      new Promise<void>((resolve) => {
        onQuiet = resolve
      }),
      over(performance.now() + patienceMs, undefined)
    ])
  }
  for (const connection of connections) connection.close()
  return {
    durationMs: tookMs,
    byName: meter.byName,
    all: { histogram: meter.all, statuses: statusesOf(meter.byName) },
    seconds: meter.seconds,
    dropped
  }
}

async function over(at: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      resolve()
    }
    const timer = setTimeout(end, Math.max(0, at - performance.now()))
    signal?.addEventListener('abort', end, { once: true })
  })
}

function statusesOf(byName: ReadonlyMap<string, Measured>): Map<number, number> {
  const sum = new Map<number, number>()
  for (const { statuses } of byName.values()) {
    for (const [status, count] of statuses) sum.set(status, (sum.get(status) ?? 0) + count)
  }
  return sum
}
