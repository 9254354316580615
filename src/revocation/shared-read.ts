/**
 * Reads on behalf of many callers at once. Whoever calls while a reading is under way gets the next
 * one: every answer was read after it was asked for.
 */
export function createSharedRead<T>(read: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  let next: Promise<T> | undefined

  function start(): Promise<T> {
    const reading = read().finally(() => {
      if (running === reading) running = undefined
    })
    running = reading
    return reading
  }

  function startNext(): Promise<T> {
    next = undefined
    return start()
  }

  return () => {
    if (running === undefined) return start()
    next ??= running.then(startNext, startNext)
    return next
  }
}
