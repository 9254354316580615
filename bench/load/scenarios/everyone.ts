import { requestBytes, sendOnce } from '../driver/connection.js'
import { bearer, type Card } from '../people.js'
import { evidenceOf, inTurn, type Scenario, type Stage, visit, visits } from '../stage.js'
import { createReturns } from './returns.js'

/** One request in so many is a step of somebody's return, while somebody was refused. */
const returnShare = 10

/**
 * Everyone is revoked after a third of the run, while all go on with what they have; whoever is refused tries
 * to refresh, as clients do, and then logs in again. Tells how long the answer took, when the last old token was accepted, and when everybody was back.
 */
export const everyone: Scenario = async (stage) => {
  const { people, site } = stage
  await stage.warmUp(visits(stage))
  const token = await adminToken(stage)
  const old = new Set<Card>(people.map(({ card }) => card))
  const returns = createReturns(stage)
  let lastAcceptedAt: number | undefined
  const driving = stage.drive((sequence) => {
    const back = sequence % returnShare === 0 ? returns.next() : undefined
    if (back !== undefined) return back
    const person = inTurn(stage, sequence)
    const { card } = person
    return visit(stage, person, ({ status, receivedAt }) => {
      if (status === 200 && old.has(card)) lastAcceptedAt = receivedAt
      if (status === 401 && person.card === card) returns.add(person)
    })
  })

  await stage.until(1 / 3)
  stage.mark('everyone: asked')
  for (const { revocation } of old) revocation.askedAt = performance.now()
  const answer = await sendOnce(site.targets[0], revokeEveryone(token))
  if (answer.status === 201) {
    for (const { revocation } of old) revocation.answeredAt = answer.receivedAt
  } else if (answer.status !== 503) throw new Error(`Everyone: the answer was ${answer.status}`)
  // 503 says that it is recorded and not yet known to be true everywhere.
  stage.mark(answer.status === 201 ? 'everyone: answered' : 'everyone: not confirmed')
  const driven = await driving
  const acceptedAt = lastAcceptedAt ?? NaN
  const { findings, unproved } = evidenceOf(stage)
  return {
    driven,
    unproved,
    findings: {
      ...findings,
      'answer (ms)': answer.receivedAt - answer.sentAt,
      'last old token accepted, after the request (ms)': finite(acceptedAt - answer.sentAt),
      'last old token accepted, before the answer (ms)': finite(answer.receivedAt - acceptedAt),
      'people back at the end': returns.back(),
      'half of the people back after (s)': returns.halfBackAfter(answer.receivedAt),
      'all back after (s)': returns.allBackAfter(answer.receivedAt)
    }
  }
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)

async function adminToken({ site }: Stage): Promise<string> {
  const body = { ...site.admin, tokenDelivery: 'body' }
  const { status, body: text } = await sendOnce(
    site.targets[0],
    requestBytes({ method: 'POST', path: '/api/auth/login', body })
  )
  const answer: unknown = status === 200 ? JSON.parse(text) : undefined
  if (typeof answer !== 'object' || answer === null || !('accessToken' in answer)) {
    throw new Error(`The administrator can't log in: ${status}`)
  }
  return String(answer.accessToken)
}

function revokeEveryone(token: string): Buffer {
  return requestBytes({
    method: 'POST',
    path: '/api/admin/revocations',
    headers: bearer(token),
    body: { target: { kind: 'everyone', confirm: 'everyone' }, reason: 'load test' }
  })
}
