import type { Planned } from '../driver/drive.js'
import { logoutBytes } from '../people.js'
import { inTurn, type Scenario, type Stage, visit } from '../stage.js'

/** One request in so many is a logout. */
const stormShare = 20
/** Logouts per second while Redis is away. */
const outageShare = 200

/** Many log out while everybody, they too, goes on with the tokens they have. */
export const revokeStorm: Scenario = async (stage) => {
  const planLogout = logouts(stage)
  const driven = await stage.drive(
    (sequence) =>
      (sequence % stormShare === 0 ? planLogout() : undefined) ??
      visit(stage, inTurn(stage, sequence))
  )
  return { driven, findings: countsOf(stage) }
}

/** Redis is killed after a third of the run, and comes back after two thirds. */
export const outage: Scenario = async (stage) => {
  const planLogout = logouts(stage)
  const driving = stage.drive(
    (sequence) =>
      (sequence % outageShare === 0 ? planLogout() : undefined) ??
      visit(stage, inTurn(stage, sequence))
  )
  const { redis } = stage.site
  if (redis === undefined) throw new Error('The Redis of a target is not ours to kill')
  await stage.until(1 / 3)
  stage.mark('Redis killed')
  await redis.kill()
  await stage.until(2 / 3)
  await redis.start()
  stage.mark('Redis back')
  return { driven: await driving, findings: countsOf(stage) }
}

/** Plans the logout of one person after the other; undefined when all are out. */
function logouts({ people }: Stage): () => Planned | undefined {
  let next = 0
  return () => {
    const person = people[next]
    if (person === undefined) return undefined
    next++
    return {
      name: 'logout',
      request: logoutBytes(person),
      onAnswer({ status, receivedAt }) {
        // 503 says that it is recorded and not yet known to be true everywhere.
        if (status === 204) person.card.revokedAt = receivedAt
      }
    }
  }
}

function countsOf({ witness }: Stage): Readonly<Record<string, number>> {
  const { refused, accepted } = witness.counts()
  return { 'revoked tokens refused': refused, 'revoked tokens accepted': accepted }
}
