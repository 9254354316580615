/** A hash could not be started in time: the queue is full, or the job waited past its deadline. */
export class HashQueueFull extends Error {
  override readonly name = 'HashQueueFull'
}

/** What the queue is doing now, and how many jobs it has started since it was made. */
export interface HashLoad {
  readonly running: number
  readonly waiting: number
  readonly started: number
}

export interface HashQueue {
  /**
   * Runs the job as soon as its turn comes, first come, first served.
   *
   * @throws {HashQueueFull} the job has not been run and never will be
   */
  run: <T>(job: () => Promise<T>) => Promise<T>
  load: () => HashLoad
}

export interface HashQueueOptions {
  /** How many jobs run at once. */
  readonly concurrency: number
  /** How many more may wait. */
  readonly limit: number
  /** How long one may wait, in milliseconds. */
  readonly waitDeadlineMs: number
}

/** Bounds how many hashes run and wait, so that a storm of logins cannot take the whole thread pool. */
export function createHashQueue({
  concurrency,
  limit,
  waitDeadlineMs
}: HashQueueOptions): HashQueue {
  // A Set keeps the order of arrival and lets go of an expired job without a search.
  const waiting = new Set<() => void>()
  let running = 0
  let started = 0

  async function run<T>(job: () => Promise<T>): Promise<T> {
    if (running < concurrency) running += 1
    else await turn()
    started += 1
    try {
      return await job()
    } finally {
      release()
    }
  }

  /** Resolves once a finished job has handed its place over: `running` stays as it is. */
  async function turn(): Promise<void> {
    if (waiting.size >= limit) throw new HashQueueFull(`${limit} hashes are waiting already`)
    await new Promise<void>((resolve, reject) => {
      const start = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        waiting.delete(start)
        reject(new HashQueueFull(`a hash has waited for ${waitDeadlineMs} ms`))
      }, waitDeadlineMs)
      waiting.add(start)
    })
  }

  function release(): void {
    const [next] = waiting
    if (next === undefined) {
      running -= 1
      return
    }
    waiting.delete(next)
    next()
  }

  return { run, load: () => ({ running, waiting: waiting.size, started }) }
}
