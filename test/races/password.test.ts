import t from 'tap'
import { playRounds, startPair } from '../support/race.js'
import {
  listSessions,
  logIn,
  refresh,
  type Tokens,
  tokensOf,
  verdict
} from '../support/session-calls.js'

const pair = await startPair(t)
const [leftPassword, rightPassword] = ['another horse battery', 'a third horse battery']

t.test('two password changes of one account, from two sessions or from one', async (t) => {
  await playRounds(t, pair, async ({ number, nodes: [node, other], race, ...round }) => {
    const person = await node.register()
    const left: Tokens = person
    const right = number % 3 === 0 ? left : tokensOf(await logIn(node, person))
    const change = (to: string) => ({ currentPassword: person.password, newPassword: to })
    const [byLeft, byRight] = await race(
      () =>
        node.post('/api/auth/password', { token: left.accessToken, body: change(leftPassword) }),
      () =>
        other.post('/api/auth/password', { token: right.accessToken, body: change(rightPassword) })
    )
    for (const answer of [byLeft, byRight]) {
      round.outcome('change', answer, 204, 'TOKEN_REVOKED', 'INVALID_CREDENTIALS')
    }
    const leftWon = byLeft.status === 204
    round.expect(leftWon !== (byRight.status === 204), 'not exactly one change was made')

    const [winner, loser] = leftWon ? [left, right] : [right, left]
    await round.deadAccess('the winner', winner.accessToken)
    if (loser !== winner) await round.dead('the loser', loser)
    const next = tokensOf(await refresh(other, winner.refreshToken))
    round.outcome('the session that won', await listSessions(node, next.accessToken), 200)

    const passwords = {
      [person.password]: false,
      [leftPassword]: leftWon,
      [rightPassword]: !leftWon
    }
    for (const [password, isGood] of Object.entries(passwords)) {
      const came = verdict(await logIn(node, { ...person, password }))
      round.expect(came === (isGood ? 200 : 'INVALID_CREDENTIALS'), `a login answered ${came}`)
    }
  })
})

t.test('a password change against logout everywhere', async (t) => {
  await playRounds(t, pair, async ({ nodes: [node, other], race, ...round }) => {
    const person = await node.register()
    const elsewhere = tokensOf(await logIn(node, person))
    const body = { currentPassword: person.password, newPassword: leftPassword }
    const [changed, everywhere] = await race(
      () => node.post('/api/auth/password', { token: person.accessToken, body }),
      () => other.post('/api/auth/logout-all', { token: elsewhere.accessToken })
    )
    round.outcome('change', changed, 204, 'TOKEN_REVOKED')
    round.outcome('logout-all', everywhere, 200, 'TOKEN_REVOKED')
    round.expect(changed.status === 204 || everywhere.status === 200, 'neither of them happened')
    await round.deadAccess('the one that changed', person.accessToken)
    await round.dead('the one that logged out', elsewhere)
    if (everywhere.status === 200) await round.dead('the one that changed', person)
    else
      await round.lives('the one that changed', tokensOf(await refresh(node, person.refreshToken)))
    const password = changed.status === 204 ? leftPassword : person.password
    await round.lives('a later login', tokensOf(await logIn(other, { ...person, password })))
  })
})
