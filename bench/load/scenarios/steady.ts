import type { DriveOptions, Planned } from '../driver/drive.js'
import { createQueue } from '../driver/queue.js'
import { loginBytes, type Person, refreshBytes, takePair } from '../people.js'
import { inTurn, type Outcome, type Scenario, type Stage, visit, visits } from '../stage.js'

/** A protected route, with the tokens of all people in turn. */
export const verify: Scenario = async (stage) => await play(stage, visits(stage))

/** Each session is refreshed again and again, never twice at once. */
export const refresh: Scenario = async (stage) => await play(stage, refresher(stage))

export const login: Scenario = async (stage) =>
  await play(stage, (sequence) => planLogin(inTurn(stage, sequence)))

/** 95 % verify, 4 % refresh, 1 % login. */
export const mixed: Scenario = async (stage) => {
  const planRefresh = refresher(stage)
  return await play(stage, (sequence) => {
    const part = sequence % 100
    if (part === 0) return planLogin(inTurn(stage, sequence))
    return part % 25 === 1 ? planRefresh() : visit(stage, inTurn(stage, sequence))
  })
}

async function play(stage: Stage, next: DriveOptions['next']): Promise<Outcome> {
  await stage.warmUp(next)
  return { driven: await stage.drive(next), findings: {} }
}

function planLogin(person: Person): Planned {
  return { name: 'login', request: loginBytes(person) }
}

/** Plans refreshes of whoever waits for none; undefined while everybody does. */
function refresher({ people, site }: Stage): () => Planned | undefined {
  const free = createQueue<Person>()
  for (const person of people) free.push(person)
  return () => {
    const person = free.shift()
    if (person === undefined) return undefined
    return {
      name: 'refresh',
      request: refreshBytes(person),
      onAnswer({ status, body }) {
        if (status === 200) takePair(person, body, site.protectedPath)
        // What was refused, and not for want of room, is over.
        if (status === 200 || status === 0 || status >= 429) free.push(person)
      }
    }
  }
}
