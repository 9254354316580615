import type { Answer } from './client.js'
import { eventually } from './eventually.js'
import type { Card, Hammer } from './hammer.js'
import type { Person, TestKeycard } from './keycard.js'

/** A person whose access token is presented all the time. */
export interface Holder extends Person {
  readonly card: Card
}

/** Registers somebody at `node` and starts presenting their token. */
export async function newHolder(node: TestKeycard, hammer: Hammer, label: string): Promise<Holder> {
  const person = await node.register({ name: label })
  return { ...person, card: hammer.present(label, person.accessToken) }
}

export async function newHolders<Label extends string>(
  node: TestKeycard,
  hammer: Hammer,
  labels: readonly Label[]
): Promise<Record<Label, Holder>> {
  const holders = await Promise.all(
    labels.map(async (label) => [label, await newHolder(node, hammer, label)] as const)
  )
  return Object.fromEntries(holders) as Record<Label, Holder>
}

/** One call; the answer may be that it is not confirmed yet. */
export function tryLogOut(node: TestKeycard, hammer: Hammer, holder: Holder): Promise<Answer> {
  return hammer.revoke([holder.card], () =>
    node.post('/api/auth/logout', { token: holder.accessToken })
  )
}

export function tryLogOutEverywhere(node: TestKeycard, hammer: Hammer, holder: Holder) {
  return hammer.revoke([holder.card], () =>
    node.post('/api/auth/logout-all', { token: holder.accessToken })
  )
}

/** Logs a holder out, with as many calls as the answers ask for. @throws at any other answer */
export async function logOut(node: TestKeycard, hammer: Hammer, holder: Holder): Promise<Answer> {
  return await untilConfirmed(() => tryLogOut(node, hammer, holder))
}

export async function logOutEverywhere(node: TestKeycard, hammer: Hammer, holder: Holder) {
  return await untilConfirmed(() => tryLogOutEverywhere(node, hammer, holder))
}

/** Repeats a call until it is answered with success. @throws when the answer asks for no repetition */
export async function untilConfirmed(call: () => Promise<Answer>): Promise<Answer> {
  const answer = await eventually(
    'the revocation is confirmed',
    async () => {
      const attempt = await call()
      return attempt.body.code !== 'DEPENDENCY_UNAVAILABLE' && attempt
    },
    { withinMs: 20_000 }
  )
  if (answer.status >= 300) throw new Error(`The revocation was answered ${answer.text}`)
  return answer
}
