import type { Test } from 'tap'

/** What servers are bound to, so that they are gone when it ends: a tap test, or a whole program. */
export type Lifetime = Pick<Test, 'teardown'>

/** For a program that is no tap test. */
export interface OwnLifetime extends Lifetime {
  /** Ends everything that is bound to it, the last first, and the next one even where one fails. */
  readonly end: () => Promise<void>
}

export function createLifetime(): OwnLifetime {
  const endings: (() => unknown)[] = []

  async function end(): Promise<void> {
    const ending = endings.pop()
    if (ending === undefined) return
    try {
      await ending()
    } finally {
      await end()
    }
  }

  return {
    teardown: (ending) => {
      endings.push(ending)
    },
    end
  }
}
