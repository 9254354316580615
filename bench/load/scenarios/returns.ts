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
}

/** Those who were refused: they try their refresh token, and log in again. */
export function createReturns(stage: Stage) {
  const { people, site, options } = stage
  // In a closed loop those who log in would soon have all connections, and nobody would visit.
  const mostAtOnce = options.rate === 'saturation' ? Math.ceil(options.connections / 4) : Infinity
  const refused = createQueue<Person>()
  /** Whose refresh token was no good either: they go first, as they were refused first. */
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
      waiting.push({ person, at: 0 })
    })
  }

  function logIn(person: Person): Planned {
    return {
      name: 'login',
      request: loginBytes(person),
      onAnswer({ status, body, receivedAt }) {
        underWay--
        if (status === 200) take(person, body, receivedAt)
        else waiting.push({ person, at: receivedAt + retryMs })
      }
    }
  }

  return {
    add(person: Person): void {
      if (known.has(person)) return
      known.add(person)
      refused.push(person)
    },

    /** The next step of who waits longest; undefined where nobody does. */
    next(): Planned | undefined {
      if (underWay >= mostAtOnce) return undefined
      first ??= waiting.shift()
      if (first !== undefined && first.at <= performance.now()) {
        const { person } = first
        first = undefined
        underWay++
        return logIn(person)
      }
      const person = refused.shift()
      if (person === undefined) return undefined
      underWay++
      return tryToRefresh(person)
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
