import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyBaseLogger } from 'fastify'
import type { RedisClient } from '../../redis/client.js'

/** After a failure Redis is left alone, so that an outage does not cost every request the deadline. */
const pauseMs = 1000

export interface RedisWatch {
  readonly redis: RedisClient
  /** Undefined where Redis is away, failed or was too slow. Never rejects. */
  attempt: <Result>(use: () => Promise<Result>) => Promise<Result | undefined>
}

/** Decides per call whether Redis can be asked, and says in the log when that changes. */
export function createRedisWatch(
  redis: RedisClient,
  log: FastifyBaseLogger,
  deadlineMs: number
): RedisWatch {
  let pausedUntil = 0
  let isShared = true

  const note = (shared: boolean, err?: unknown): void => {
    if (shared === isShared) return
    isShared = shared
    if (shared) log.info('rate limits are shared through Redis again')
    else log.warn({ err }, 'Redis does not answer: rate limits are counted by this node alone')
  }

  return {
    redis,
    async attempt(use) {
      if (redis.status !== 'ready' || performance.now() < pausedUntil) {
        note(false)
        return undefined
      }
      try {
        const result = await withDeadline(use(), deadlineMs)
        note(true)
        return result
      } catch (error) {
        pausedUntil = performance.now() + pauseMs
        note(false, error)
        return undefined
      }
    }
  }
}

async function withDeadline<Result>(result: Promise<Result>, deadlineMs: number): Promise<Result> {
  const timer = new AbortController()
  const late = sleep(deadlineMs, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`no answer within ${deadlineMs} ms`)
  })
  try {
    return await Promise.race([result, late])
  } finally {
    timer.abort()
  }
}
