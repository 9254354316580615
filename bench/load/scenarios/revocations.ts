import type { Planned } from '../driver/drive.js'
import { logoutBytes } from '../people.js'
import { evidenceOf, presentRefreshToken, type Scenario, type Stage, visits } from '../stage.js'

/** By this part of the run all have logged out. */
const allOutBy = 0.9
/** One request in so many presents the refresh token of somebody who has logged out. */
const refreshShare = 20

/** One after the other logs out, while everybody, they too, goes on with the tokens they have, of both kinds. */
export const revokeStorm: Scenario = async (stage) => {
  await stage.warmUp(visits(stage))
  const driven = await stage.drive(visitsAndLogouts(stage))
  return { driven, ...evidenceOf(stage) }
}

/** The same, and Redis is killed after a third of the run and comes back after two thirds. */
export const outage: Scenario = async (stage) => {
  const { redis, witness } = stage
  if (redis === undefined) throw new Error('The Redis of this site is not ours to kill')
  await stage.warmUp(visits(stage))
  const driving = stage.drive(visitsAndLogouts(stage))
  await stage.until(1 / 3)
  stage.mark('Redis killed')
  await redis.kill()
  const before = witness.refused('verify')
  await stage.until(2 / 3)
  const isShown = witness.refused('verify') > before
  await redis.start()
  stage.mark('Redis back')
  const driven = await driving
  const { findings, unproved } = evidenceOf(stage)
  const missing = isShown ? [] : ['no revoked access token was refused while Redis was away']
  return { driven, findings, unproved: [...unproved, ...missing] }
}

function visitsAndLogouts(stage: Stage): (sequence: number) => Planned {
  const { people, progress } = stage
  const planVisit = visits(stage)
  let loggedOut = 0
  return (sequence) => {
    const person = people[loggedOut]
    if (person === undefined || loggedOut >= (progress() / allOutBy) * people.length) {
      const gone = people[Math.floor(sequence / refreshShare) % Math.max(1, loggedOut)]
      const isTurn = sequence % refreshShare === 0 && loggedOut > 0
      return isTurn && gone !== undefined ? presentRefreshToken(stage, gone) : planVisit(sequence)
    }
    loggedOut++
    const { card } = person
    card.revocation.askedAt = performance.now()
    return {
      name: 'logout',
      request: logoutBytes(card),
      onAnswer({ status, receivedAt }) {
        // 503 says that it is recorded and not yet known to be true everywhere.
        if (status === 204) card.revocation.answeredAt = receivedAt
      }
    }
  }
}
