import { after } from './after.js'
import { DatabaseUnavailable } from './errors.js'
import type { DatabaseLimits } from './limits.js'
import type { Link } from './link.js'

/** Links for calls, each for one call at a time, and the queue of the calls that wait for one. */
export interface Pool {
  /**
   * Gives `work` a link as soon as one is free.
   * @throws DatabaseUnavailable `late` after `withinMs`, `busy` when too many calls are waiting,
   *   `closed`, what `drop` was given, or what `work` throws
   */
  run: <T>(work: (link: Link) => Promise<T>, withinMs: number) => Promise<T>
  /** Gives no call a link that was open before now: it may be dead without our knowing. */
  renew: () => void
  /** Cuts every link and answers every call, waiting or not, with `error`. */
  drop: (error: DatabaseUnavailable) => void
  /** Lets the calls that have a link finish, for a while, then cuts and forgets everything. */
  close: () => Promise<void>
}

interface Call {
  begin: (link: Link) => void
  fail: (error: DatabaseUnavailable) => void
  /** Calls off what is to happen next to a call that takes too long. */
  calm: () => void
}

export interface PoolOptions {
  readonly open: () => Link
  readonly limits: DatabaseLimits
  /** A call has been waiting for Postgres suspiciously long. */
  readonly onSlow: () => void
}

export function createPool({ open, limits, onSlow }: PoolOptions): Pool {
  const links = new Set<Link>()
  const idle: Link[] = []
  const leaving = new Set<Promise<void>>()
  const waiting = new Set<Call>()
  const running = new Map<Call, Link>()
  let onEmpty: (() => void) | undefined
  let renewedAt = 0
  let isClosed = false

  function run<T>(work: (link: Link) => Promise<T>, withinMs: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (isClosed) throw new DatabaseUnavailable('closed')
      if (waiting.size + running.size >= limits.calls) throw new DatabaseUnavailable('busy')
      const call: Call = {
        begin(link) {
          const done = attempt(work, link).then(resolve, reject)
          void done.then(() => finish(call))
        },
        fail: reject,
        calm: after(Math.min(limits.suspicionMs, withinMs), () => {
          onSlow()
          call.calm = after(withinMs - limits.suspicionMs, () => expire(call))
        })
      }
      waiting.add(call)
      serve()
    })
  }

  function serve(): void {
    for (const call of waiting) {
      const link = takeIdle() ?? openOne()
      if (link === undefined) return
      waiting.delete(call)
      running.set(call, link)
      call.begin(link)
    }
  }

  function takeIdle(): Link | undefined {
    for (let link = idle.pop(); link !== undefined; link = idle.pop()) {
      if (link.isUsable()) return link
      dismiss(link)
    }
    return undefined
  }

  function openOne(): Link | undefined {
    if (links.size >= limits.connections) return undefined
    const link = open()
    links.add(link)
    return link
  }

  /** The caller is answered; the statement on its way is not, so the link stays taken for now. */
  function expire(call: Call): void {
    call.fail(new DatabaseUnavailable('late'))
    const link = running.get(call)
    if (link === undefined) {
      waiting.delete(call)
      return
    }
    link.shut()
    call.calm = after(limits.lingerMs, () => {
      link.destroy()
      renew()
      finish(call)
    })
  }

  function finish(call: Call): void {
    const link = running.get(call)
    if (link === undefined) return
    call.calm()
    running.delete(call)
    release(link)
    serve()
    if (running.size === 0) onEmpty?.()
  }

  function release(link: Link): void {
    if (isClosed || !link.isUsable() || link.openedAt < oldest()) dismiss(link)
    else {
      link.reopen()
      idle.push(link)
    }
  }

  function oldest(): number {
    return Math.max(renewedAt, performance.now() - limits.lifetimeMs)
  }

  function dismiss(link: Link): void {
    links.delete(link)
    const farewell = link.end().finally(() => leaving.delete(farewell))
    leaving.add(farewell)
  }

  function renew(): void {
    renewedAt = performance.now()
    for (const link of idle.splice(0)) dismiss(link)
  }

  function drop(error: DatabaseUnavailable): void {
    turnAway(error)
    for (const [call, link] of running) {
      call.fail(error)
      link.destroy()
      finish(call)
    }
    for (const link of idle.splice(0)) {
      link.destroy()
      dismiss(link)
    }
  }

  function turnAway(error: DatabaseUnavailable): void {
    for (const call of waiting) {
      call.calm()
      call.fail(error)
    }
    waiting.clear()
  }

  async function close(): Promise<void> {
    isClosed = true
    const error = new DatabaseUnavailable('closed')
    turnAway(error)
    renew()
    await drained()
    drop(error)
    await Promise.all(leaving)
  }

  function drained(): Promise<void> {
    return new Promise((resolve) => {
      if (running.size === 0) resolve()
      else {
        const stop = after(limits.drainMs, resolve)
        onEmpty = () => {
          stop()
          resolve()
        }
      }
    })
  }

  return { run, renew, drop, close }
}

async function attempt<T>(work: (link: Link) => Promise<T>, link: Link): Promise<T> {
  return await work(link)
}
