import t, { type Test } from 'tap'
import type { Answer } from '../support/client.js'
import type { Person, TestKeycard } from '../support/keycard.js'
import { registerAdmin, setUser } from '../support/operators.js'
import { type Pair, playRounds, startPair } from '../support/race.js'
import { logIn, tokensOf, verdict } from '../support/session-calls.js'
import { administration, userRow } from '../support/user-administration.js'

const pair = await startPair(t)

type Attempt = (node: TestKeycard, by: Person, whom: Person) => Promise<Answer>

const demote: Attempt = (node, by, whom) =>
  administration(node, by).change(whom.id, { roles: ['ops'] })
const disable: Attempt = (node, by, whom) =>
  administration(node, by).change(whom.id, { disabled: true })
const remove: Attempt = (node, by, whom) => administration(node, by).remove(whom.id)
const leave: Attempt = (node, { accessToken: token, password }) =>
  node.delete('/api/auth/me', { token, body: { password } })

/** Two administrators, and no other. */
async function onlyTwo(node: TestKeycard): Promise<[Person, Person]> {
  return [await registerAdmin(node), await registerAdmin(node)]
}

/** Who can administer the service, by the accounts as they are. */
async function remaining(node: TestKeycard, people: readonly Person[]): Promise<Person[]> {
  const rows = await Promise.all(people.map(({ id }) => userRow(node, id)))
  return people.filter((_, index) => {
    const row = rows[index]
    return row?.disabledAt === null && row.roles.includes('admin')
  })
}

/**
 * Each of two administrators removes one, at the same time on two nodes, so that one of both
 * attempts must fail: as the last administrator is in the way, or because who asks is none any more.
 */
async function oneRemains(
  t: Test,
  nodes: Pair,
  [first, second]: readonly [Attempt, Attempt],
  targets: 'each other' | 'themselves'
): Promise<void> {
  await playRounds(
    t,
    nodes,
    async ({ nodes: [node, other], race, ...round }) => {
      const [ada, bob] = await onlyTwo(node)
      const [ofAda, ofBob] = targets === 'themselves' ? [ada, bob] : [bob, ada]
      const answers = await race(
        () => first(node, ada, ofAda),
        () => second(other, bob, ofBob)
      )
      for (const answer of answers) {
        round.outcome('removal', answer, 200, 204, 'LAST_ADMIN', 'TOKEN_REVOKED', 'FORBIDDEN')
      }
      const left = await remaining(node, [ada, bob])
      round.expect(left.length === 1, `${left.length} administrators are left`)
      round.expect(answers.filter(({ status }) => status < 300).length === 1, 'not one success')
      for (const person of left) {
        const tokens = tokensOf(await logIn(node, person))
        const came = verdict(await administration(other, { ...person, ...tokens }).list())
        round.expect(came === 200, `who is left is answered ${came}`)
        await setUser(node, person.id, { roles: [] })
      }
    },
    { rounds: 24, atOnce: 1 }
  )
}

t.test('two administrators demote each other', async (t) => {
  await oneRemains(t, pair, [demote, demote], 'each other')
})

t.test('one disables the other, who deletes the one', async (t) => {
  await oneRemains(t, pair, [disable, remove], 'each other')
})

t.test('both leave', async (t) => {
  await oneRemains(t, pair, [leave, leave], 'themselves')
})
