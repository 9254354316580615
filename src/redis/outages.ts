import type { Redis } from 'ioredis'

/** The part of a logger that the connection to Redis needs. */
export interface RedisLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
}

export interface Outages {
  /** Redis is taken to be away until it is ready. */
  begin: (error?: Error) => void
}

/**
 * Says in the log when Redis goes away and when it is back: a line each, however often a new
 * connection is tried in between. One that is lost and replaced at once is no outage.
 */
export function reportOutages(redis: Redis, log: RedisLog): Outages {
  let isAway = false
  let wasReady = false

  function begin(error?: Error): void {
    if (isAway) return
    isAway = true
    log.warn({ reason: reasonOf(error) }, 'Redis is away')
  }

  redis.on('error', (error) => {
    if (!wasReady) begin(error)
  })
  redis.on('close', () => {
    if (!wasReady) begin()
    wasReady = false
  })
  redis.on('ready', () => {
    wasReady = true
    if (isAway) log.info({}, 'Redis is back')
    isAway = false
  })
  return { begin }
}

/** Only the first word of what Redis says: the rest may repeat a command, and AUTH is one. */
function reasonOf(error: Error | undefined): string {
  if (error === undefined) return 'no connection'
  if ('code' in error && typeof error.code === 'string') return error.code
  return error.name === 'ReplyError' ? (error.message.split(' ')[0] ?? '') : error.message
}
