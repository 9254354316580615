import DataLoader from 'dataloader'
import { after } from './after.js'

export interface CoalesceOptions {
  /** Statements under way at once; who comes meanwhile goes with the next one. */
  readonly lanes?: number
  /** Nobody is held back longer, in milliseconds: a statement that takes longer may never end. */
  readonly patienceMs?: number
  /** Of one statement. */
  readonly most?: number
}

/**
 * Turns calls that come at the same time into one statement. A call by itself goes at once, and no
 * call is answered by a statement that was sent before it came. Where a statement fails, so does each
 * of its calls: of one connection that is lost, up to `most` learn.
 *
 * @param ask answers each of the keys, in their order
 */
export function coalesce<Key, Answer>(
  ask: (keys: readonly Key[]) => Promise<readonly Answer[]>,
  { lanes = 2, patienceMs = 20, most = 100 }: CoalesceOptions = {}
): (key: Key) => Promise<Answer> {
  const held = new Set<() => void>()
  let underWay = 0

  function hold(send: () => void): void {
    function go() {
      held.delete(go)
      calm()
      send()
    }
    const calm = after(patienceMs, go)
    held.add(go)
  }

  const loader = new DataLoader<Key, Answer>(
    async (keys) => {
      underWay++
      try {
        return await ask(keys)
      } finally {
        underWay--
        const [next] = held
        next?.()
      }
    },
    {
      cache: false,
      maxBatchSize: most,
      // Behind everything that has arrived by now.
      batchScheduleFn: (send) => setImmediate(() => (underWay < lanes ? send() : hold(send)))
    }
  )
  return (key) => loader.load(key)
}
