const longestRetryMs = 1000
const jitterMs = 200

/** How long to wait before the next attempt to connect, in ms: up to a second, never the same. */
export const retryMs = (attempt: number): number =>
  Math.min(25 * 2 ** attempt, longestRetryMs - jitterMs) + Math.random() * jitterMs

export interface Patience {
  /** As the server lists it. */
  readonly connectionName: string
  /** A command fails after this, in ms. */
  readonly commandTimeout: number
  /** A server that takes commands and says nothing is left after this, in ms. */
  readonly socketTimeout: number
}

/** What holds for every connection to a server, whoever chose the server. */
export function connectionOptions(patience: Patience) {
  return {
    ...patience,
    connectTimeout: 1000,
    disconnectTimeout: 250,
    keepAlive: 10_000,
    maxLoadingRetryTime: 500,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false
  }
}

export type ConnectionOptions = ReturnType<typeof connectionOptions>

/** True at most once in a second, however often such an error comes: a new connection takes a while. */
export function reconnectOn(...codes: readonly string[]): (error: Error) => boolean {
  let last = Number.NEGATIVE_INFINITY
  return ({ message }) => {
    const applies = codes.some((code) => message.startsWith(code))
    if (!applies || performance.now() - last < longestRetryMs) return false
    last = performance.now()
    return true
  }
}
