import type { Planned } from '../driver/drive.js'
import { loginBytes, type Person, refreshBytes, takePair } from '../people.js'
import { inTurn, type Scenario, type Stage, visit } from '../stage.js'

/** A protected route, with the tokens of all people in turn. */
export const verify: Scenario = async (stage) => {
  const driven = await stage.drive((sequence) => visit(stage, inTurn(stage, sequence)))
  return { driven, findings: {} }
}

/** Each session is refreshed again and again, never twice at once. */
export const refresh: Scenario = async (stage) => {
  const planRefresh = refresher(stage)
  return { driven: await stage.drive(planRefresh), findings: {} }
}

export const login: Scenario = async (stage) => {
  const driven = await stage.drive((sequence) => planLogin(inTurn(stage, sequence)))
  return { driven, findings: {} }
}

/** 95 % verify, 4 % refresh, 1 % login. */
export const mixed: Scenario = async (stage) => {
  const planRefresh = refresher(stage)
  const driven = await stage.drive((sequence) => {
    const part = sequence % 100
    if (part === 0) return planLogin(inTurn(stage, sequence))
    return part % 25 === 1 ? planRefresh() : visit(stage, inTurn(stage, sequence))
  })
  return { driven, findings: {} }
}

function planLogin(person: Person): Planned {
  return { name: 'login', request: loginBytes(person) }
}

/** Plans refreshes of whoever waits for none; undefined while everybody does. */
function refresher({ people, site }: Stage): () => Planned | undefined {
  const free = [...people]
  let head = 0
  return () => {
    const person = free[head]
    if (person === undefined) return undefined
    head++
    if (head > people.length) head -= free.splice(0, head).length
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
