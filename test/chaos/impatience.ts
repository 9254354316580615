/**
 * Waits for an answer as a client with a timeout does: it comes to know nothing once it has turned
 * away. The call itself goes on, and what becomes of it is written down all the same.
 */
export type Impatience = <T>(call: Promise<T>) => Promise<T | undefined>

const patienceMs = 1_200

/** One whose waits all end when the signal comes. */
export function createImpatience(signal: AbortSignal): Impatience {
  return async function wait<T>(call: Promise<T>): Promise<T | undefined> {
    return await new Promise<T | undefined>((resolve, reject) => {
      const turnAway = (): void => {
        settle()
        resolve(undefined)
      }
      const timer = setTimeout(turnAway, patienceMs)
      const settle = (): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', turnAway)
      }
      signal.addEventListener('abort', turnAway)
      call.finally(settle).then(resolve, reject)
    })
  }
}
