import { Redis } from 'ioredis'

const longestRetryMs = 1000
const jitterMs = 200

/**
 * A client of one Redis (`redis://` or `rediss://`) that never waits: a command is answered or fails
 * within `commandTimeout`, and at once while there is no connection. Nothing is sent twice; a command
 * that failed may have taken effect. It reconnects by itself, for ever, and starts with `connect()`.
 *
 * A duplicate for blocking commands needs its own `commandTimeout` and `socketTimeout`.
 */
export function createRedisClient(url: string): Redis {
  return new Redis(url, {
    lazyConnect: true,
    connectionName: 'keycard',
    connectTimeout: 1000,
    commandTimeout: 250,
    // A server that takes commands and says nothing: another connection may reach one that does.
    socketTimeout: 1000,
    disconnectTimeout: 250,
    keepAlive: 10_000,
    maxLoadingRetryTime: 500,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: (attempt) =>
      Math.min(25 * 2 ** attempt, longestRetryMs - jitterMs) + Math.random() * jitterMs,
    reconnectOnError: oncePer(longestRetryMs, isReadOnly)
  })
}

/** A primary that was demoted keeps its connections; a new one leads to whoever is primary now. */
function isReadOnly(error: Error): boolean {
  return error.message.startsWith('READONLY')
}

function oncePer<Value>(ms: number, applies: (value: Value) => boolean) {
  let last = Number.NEGATIVE_INFINITY
  return (value: Value): boolean => {
    if (!applies(value) || performance.now() - last < ms) return false
    last = performance.now()
    return true
  }
}
