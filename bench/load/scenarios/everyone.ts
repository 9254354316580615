import type { Planned } from '../driver/drive.js'
import { requestBytes, sendOnce } from '../driver/connection.js'
import { bearer, type Card, loginBytes, type Person, takePair } from '../people.js'
import { inTurn, type Scenario, type Stage, visit } from '../stage.js'

/** While somebody waits to log in again, they knock this often. */
const retryMs = 1_000

/**
 * Everyone is revoked after a third of the run, while all go on with what they have; whoever is refused logs in
 * again. Tells how long the answer took, when the last old token was accepted, and when everybody was back.
 */
export const everyone: Scenario = async (stage) => {
  const token = await adminToken(stage)
  const old = new Set<Card>(stage.people.map(({ card }) => card))
  const returning = createReturns(stage)
  let lastAcceptedAt = 0
  const driving = stage.drive((sequence) => {
    const person = inTurn(stage, sequence)
    const login = sequence % 10 === 0 ? returning.next() : undefined
    if (login !== undefined) return login
    const { card } = person
    return visit(stage, person, (answer) => {
      if (answer.status === 200 && old.has(card)) lastAcceptedAt = answer.receivedAt
      if (answer.status === 401) returning.add(person)
    })
  })

  await stage.until(1 / 3)
  stage.mark('everyone: asked')
  const answer = await sendOnce(stage.site.targets[0], revokeEveryone(token))
  if (answer.status !== 201) throw new Error(`Everyone: the answer was ${answer.status}`)
  stage.mark('everyone: answered')
  for (const card of old) card.revokedAt = answer.receivedAt
  const driven = await driving
  return {
    driven,
    findings: {
      'answer (ms)': answer.receivedAt - answer.sentAt,
      'last old token accepted, after the request (ms)': lastAcceptedAt - answer.sentAt,
      'last old token accepted, before the answer (ms)': answer.receivedAt - lastAcceptedAt,
      'people back at the end': returning.back(),
      'half of the people back after (s)': returning.halfBackAfter(answer.receivedAt) / 1_000
    }
  }
}

function createReturns({ people, site }: Stage) {
  const waiting: { person: Person; at: number }[] = []
  const known = new Set<Person>()
  const backAt: number[] = []

  return {
    add(person: Person): void {
      if (known.has(person)) return
      known.add(person)
      waiting.push({ person, at: 0 })
    },

    next(): Planned | undefined {
      const first = waiting[0]
      if (first === undefined || first.at > performance.now()) return undefined
      waiting.shift()
      const { person } = first
      return {
        name: 'login',
        request: loginBytes(person),
        onAnswer({ status, body, receivedAt }) {
          if (status === 200) {
            takePair(person, body, site.protectedPath)
            known.delete(person)
            backAt.push(receivedAt)
          } else waiting.push({ person, at: receivedAt + retryMs })
        }
      }
    },

    back: (): number => backAt.length,
    /** NaN where not so many are back. */
    halfBackAfter: (since: number): number => (backAt[Math.floor(people.length / 2)] ?? NaN) - since
  }
}

async function adminToken(stage: Stage): Promise<string> {
  const body = { ...stage.site.admin, tokenDelivery: 'body' }
  const { status, body: text } = await sendOnce(
    stage.site.targets[0],
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
