import t from 'tap'
import type { Answer } from '../support/client.js'
import type { TestKeycard } from '../support/keycard.js'
import { playRounds, startPair } from '../support/race.js'
import { logIn, refresh, tokensOf, verdict } from '../support/session-calls.js'

const pair = await startPair(t)
const newPassword = 'another horse battery'

t.test('login with the old password against a password change', async (t) => {
  await playRounds(t, pair, async ({ nodes: [node, other], race, ...round }) => {
    const person = await node.register()
    const body = { currentPassword: person.password, newPassword }
    const [login, changed] = await race(
      () => logIn(node, person),
      () => other.post('/api/auth/password', { token: person.accessToken, body })
    )
    round.outcome('login', login, 200, 'INVALID_CREDENTIALS')
    round.outcome('change', changed, 204)
    if (login.status === 200) await round.dead('the login', tokensOf(login))
    const again = await logIn(other, person)
    round.expect(verdict(again) === 'INVALID_CREDENTIALS', 'the old password is still good')
    await round.lives(
      'a later login',
      tokensOf(await logIn(node, { ...person, password: newPassword }))
    )
  })
})

t.test('login against logout everywhere', async (t) => {
  await playRounds(t, pair, async ({ nodes: [node, other], race, ...round }) => {
    const person = await node.register()
    const [login, everywhere] = await race(
      () => logIn(node, person),
      () => other.post('/api/auth/logout-all', { token: person.accessToken })
    )
    round.outcome('login', login, 200)
    round.outcome('logout-all', everywhere, 200)
    const opened = tokensOf(login)
    await round.dead('the session that asked', person)
    const isCovered = claimsOf(node, login).ver < (everywhere.body.tokenVersion ?? 0)
    if (isCovered) await round.dead('a login before it', opened)
    else await round.lives('a login after it', opened)
  })
})

t.test('login and refresh against the end of everyone', async (t) => {
  const [first] = pair
  const [ada, grace] = [await first.register(), await first.register()]
  const cause = { reason: 'race', origin: null }
  await playRounds(
    t,
    pair,
    async ({ nodes: [node, other], race, ...round }) => {
      const before = tokensOf(await logIn(other, grace))
      const [[login, refreshed]] = await race(
        () => Promise.all([logIn(node, ada), refresh(other, before.refreshToken)]),
        () => other.app.revocation.revokeEveryone(cause)
      )
      round.outcome('login', login, 200)
      round.outcome('refresh', refreshed, 200, 'INVALID_REFRESH_TOKEN')
      await round.dead('a session from before', before)
      if (refreshed.status === 200) await round.dead('the refreshed', tokensOf(refreshed))
      const later = await logIn(node, grace)
      const opened = tokensOf(login)
      if (claimsOf(node, login).gen < claimsOf(node, later).gen)
        await round.dead('a login before it', opened)
      else await round.lives('a login after it', opened)
      await round.lives('a later login', tokensOf(later))
    },
    // One at a time: each round ends every session there is.
    { atOnce: 1 }
  )
})

function claimsOf(node: TestKeycard, { body }: Pick<Answer, 'body'>) {
  const verification = node.accessTokens.verify(body.accessToken ?? '')
  if (verification.kind !== 'valid') throw new Error('No access token came')
  return verification.claims
}
