import type { RedisClient } from './client.js'

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
 * connection is tried in between. One that is lost and replaced at once is no outage. A Cluster is
 * away when none of its nodes can be reached.
 */
export function reportOutages(redis: RedisClient, log: RedisLog): Outages {
  let isAway = false
  let wasReady = false
  let hasEnded = false

  function begin(error?: Error): void {
    if (isAway || hasEnded) return
    isAway = true
    log.warn({ reason: reasonOf(error) }, 'Redis is away')
  }

  redis.on('error', (error: Error) => {
    if (!wasReady && !isNextRound(error)) begin(error)
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
  // The client of a Cluster goes on to close its nodes after that.
  redis.once('end', () => {
    hasEnded = true
  })
  return { begin }
}

const sentinelsFailed = 'All sentinels are unreachable'

/** Each connection asks the next sentinel; after the last one this is said, without any failure. */
function isNextRound({ message }: Error): boolean {
  return message.startsWith(sentinelsFailed) && !message.includes('Last error: ')
}

/** Only the first word of what Redis says: the rest may repeat a command, and AUTH is one. */
function reasonOf(error: Error | undefined): string {
  if (error === undefined) return 'no connection'
  if ('code' in error && typeof error.code === 'string') return error.code
  // What the last node of a Cluster said.
  if ('lastNodeError' in error && error.lastNodeError instanceof Error) {
    return reasonOf(error.lastNodeError)
  }
  if (error.message.startsWith(sentinelsFailed)) {
    const [, word] = /Last error: (?:connect )?([A-Z]{3,})\b/.exec(error.message) ?? []
    return `no sentinel: ${word ?? 'no answer'}`
  }
  return error.name === 'ReplyError' ? (error.message.split(' ')[0] ?? '') : error.message
}
