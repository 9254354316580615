import type { Planned } from '../driver/drive.js'
import { createQueue } from '../driver/queue.js'
import { loginBytes, type Person, takePair } from '../people.js'
import { presentRefreshToken, type Stage } from '../stage.js'

/** While somebody waits to log in again, they knock this often. */
const retryMs = 1_000

interface Returning {
  readonly person: Person
  /** Not before this moment of `performance.now()`. */
  readonly at: number
  /** Their refresh token is not good any more either. */
  readonly mustLogIn: boolean
}

/** Those who were refused: they try their refresh token, and log in again. */
export function createReturns(stage: Stage) {
  const { people, site, options } = stage
  // In a closed loop those who log in would soon have all connections, and nobody would visit.
  const mostAtOnce = options.rate === 'saturation' ? Math.ceil(options.connections / 4) : Infinity
  const waiting = createQueue<Returning>()
  const known = new Set<Person>()
  const backAt: number[] = []
  let underWay = 0
  let first = waiting.shift()

  function take(person: Person, body: string, receivedAt: number): void {
    takePair(person, body, site.protectedPath)
    known.delete(person)
    backAt.push(receivedAt)
    if (backAt.length === half(people)) stage.mark('half are back')
    if (backAt.length === people.length) stage.mark('all are back')
  }

  function tryToRefresh(person: Person): Planned {
    return presentRefreshToken(stage, person, () => {
      underWay--
      waiting.push({ person, at: 0, mustLogIn: true })
    })
  }

  function logIn(person: Person): Planned {
    return {
      name: 'login',
      request: loginBytes(person),
      onAnswer({ status, body, receivedAt }) {
        underWay--
        if (status === 200) take(person, body, receivedAt)
        else waiting.push({ person, at: receivedAt + retryMs, mustLogIn: true })
      }
    }
  }

  return {
    add(person: Person): void {
      if (known.has(person)) return
      known.add(person)
      waiting.push({ person, at: 0, mustLogIn: false })
    },

    /** The next step of who waits longest; undefined where nobody does. */
    next(): Planned | undefined {
      first ??= waiting.shift()
      if (first === undefined || first.at > performance.now() || underWay >= mostAtOnce) {
        return undefined
      }
      const { person, mustLogIn } = first
      first = undefined
      underWay++
      return mustLogIn ? logIn(person) : tryToRefresh(person)
    },

    back: (): number => backAt.length,
    /** In seconds; null where not so many are back. */
    halfBackAfter: (since: number): number | null => secondsTo(backAt[half(people) - 1], since),
    allBackAfter: (since: number): number | null => secondsTo(backAt[people.length - 1], since)
  }
}

const half = ({ length }: readonly unknown[]): number => Math.ceil(length / 2)

function secondsTo(at: number | undefined, since: number): number | null {
  return at === undefined ? null : (at - since) / 1_000
}
