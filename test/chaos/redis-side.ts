import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Lifetime } from '../support/lifetime.js'
import { follow, promote, startRedisPair } from '../support/redis-pair.js'

/** Two servers of which one is the primary, with what can befall them. Times in ms. */
export interface RedisSide {
  /** Of the primary. */
  readonly port: () => number
  readonly flush: () => Promise<void>
  readonly freeze: (ms: number) => Promise<void>
  /** Killed; it comes back with what it held so long before that, or with nothing. */
  readonly restart: (options: { ms: number; keeps: 'nothing' | { ageMs: number } }) => Promise<void>
  /**
   * Makes the replica the primary, which lacks the last `lagMs`. `onPromoted` is to lead clients there; the
   * old primary becomes the replica after another `lingerMs`.
   */
  readonly failOver: (options: {
    lagMs: number
    lingerMs: number
    onPromoted: () => void
  }) => Promise<void>
}

export async function startRedisSide(t: Lifetime): Promise<RedisSide> {
  const pair = await startRedisPair(t)
  const { link } = pair
  let { primary, replica } = pair

  async function snapshot(): Promise<string> {
    await primary.cli('SAVE')
    const copy = join(primary.dir, 'kept.rdb')
    await copyFile(join(primary.dir, 'dump.rdb'), copy)
    return copy
  }

  return {
    port: () => primary.port,
    flush: async () => {
      await primary.cli('FLUSHALL')
    },
    async freeze(ms) {
      primary.freeze()
      await pause(ms)
      primary.thaw()
    },
    async restart({ ms, keeps }) {
      const kept = keeps === 'nothing' ? undefined : await snapshot()
      if (keeps !== 'nothing') await pause(keeps.ageMs)
      await primary.kill()
      await pause(ms)
      if (kept !== undefined) await copyFile(kept, join(primary.dir, 'dump.rdb'))
      await primary.start({ emptied: kept === undefined })
    },
    async failOver({ lagMs, lingerMs, onPromoted }) {
      await follow(replica, link)
      link.cut()
      await pause(lagMs)
      const [old, next] = [primary, replica]
      await promote(next)
      ;[primary, replica] = [next, old]
      onPromoted()
      await pause(lingerMs)
      link.retarget(next.port)
      await old.cli('REPLICAOF', '127.0.0.1', link.port)
    }
  }
}
