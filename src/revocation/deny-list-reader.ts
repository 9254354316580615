import type { CoveredClaims, RevocationView } from './decision.js'

const tokensPerCall = 256

interface Waiting {
  readonly claims: CoveredClaims
  resolve(view: RevocationView | undefined): void
  reject(error: unknown): void
}

type Ask = (batch: readonly CoveredClaims[]) => Promise<readonly RevocationView[] | undefined>

/**
 * Looks tokens up in the deny-list, all that arrive in one turn of the event loop in one round
 * trip: the proof that the data set is whole is then paid once for all of them.
 *
 * The function answers undefined where nothing may be concluded, and rejects when Redis does not
 * answer.
 */
export function createDenyListReader(ask: Ask) {
  let waiting: Waiting[] = []

  async function answer(batch: Waiting[]): Promise<void> {
    try {
      const views = await ask(batch.map((entry) => entry.claims))
      batch.forEach((entry, index) => entry.resolve(views?.[index]))
    } catch (error) {
      for (const entry of batch) entry.reject(error)
    }
  }

  function flush(): void {
    const all = waiting
    waiting = []
    for (let start = 0; start < all.length; start += tokensPerCall) {
      void answer(all.slice(start, start + tokensPerCall))
    }
  }

  return function read(claims: CoveredClaims): Promise<RevocationView | undefined> {
    return new Promise((resolve, reject) => {
      if (waiting.length === 0) setImmediate(flush)
      waiting.push({ claims, resolve, reject })
    })
  }
}
