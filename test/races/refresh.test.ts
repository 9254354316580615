import t from 'tap'
import { playRounds, startPair } from '../support/race.js'
import { listSessions, logIn, refresh, tokensOf } from '../support/session-calls.js'

const pair = await startPair(t)
const newPassword = 'another horse battery'

t.test('refresh against logout', async (t) => {
  const person = await pair[0].register()
  await playRounds(t, pair, async ({ number, nodes: [node, other], race, ...round }) => {
    const ended = tokensOf(await logIn(node, person))
    const proof =
      number % 4 < 2 ? { token: ended.accessToken } : { body: { refreshToken: ended.refreshToken } }
    const [refreshed, loggedOut] = await race(
      () => refresh(node, ended.refreshToken),
      () => other.post('/api/auth/logout', proof)
    )
    round.outcome('refresh', refreshed, 200, 'INVALID_REFRESH_TOKEN')
    round.outcome('logout', loggedOut, 204)
    if (refreshed.status === 200) await round.dead('the refreshed', tokensOf(refreshed))
    await round.dead('the first', ended)
    const visit = await listSessions(other, person.accessToken)
    round.outcome('another session', visit, 200)
  })
  t.equal((await refresh(pair[1], person.refreshToken)).status, 200)
})

t.test('refresh against logout everywhere', async (t) => {
  const bystander = await pair[0].register()
  await playRounds(t, pair, async ({ nodes: [node, other], race, ...round }) => {
    const person = await node.register()
    const elsewhere = tokensOf(await logIn(node, person))
    const [refreshed, everywhere] = await race(
      () => refresh(node, person.refreshToken),
      () => other.post('/api/auth/logout-all', { token: elsewhere.accessToken })
    )
    round.outcome('refresh', refreshed, 200, 'INVALID_REFRESH_TOKEN')
    round.outcome('logout-all', everywhere, 200)
    if (refreshed.status === 200) await round.dead('the refreshed', tokensOf(refreshed))
    await round.dead('the first', person)
    await round.dead('the one that asked', elsewhere)
    const later = tokensOf(await logIn(other, person))
    round.outcome('a later login', await listSessions(node, later.accessToken), 200)
  })
  t.equal((await refresh(pair[1], bystander.refreshToken)).status, 200)
})

t.test('refresh against a password change elsewhere', async (t) => {
  await playRounds(t, pair, async ({ nodes: [node, other], race, ...round }) => {
    const person = await node.register()
    const changer = tokensOf(await logIn(node, person))
    const body = { currentPassword: person.password, newPassword }
    const [refreshed, changed] = await race(
      () => refresh(node, person.refreshToken),
      () => other.post('/api/auth/password', { token: changer.accessToken, body })
    )
    round.outcome('refresh', refreshed, 200, 'INVALID_REFRESH_TOKEN')
    round.outcome('change', changed, 204)
    if (refreshed.status === 200) await round.dead('the refreshed', tokensOf(refreshed))
    await round.dead('the first', person)
    await round.deadAccess('the one that asked', changer.accessToken)
    const next = tokensOf(await refresh(other, changer.refreshToken))
    round.outcome('the session that asked', await listSessions(node, next.accessToken), 200)
  })
})

t.test('refresh against a password change of the same session', async (t) => {
  await playRounds(t, pair, async ({ nodes: [node, other], race, ...round }) => {
    const person = await node.register()
    const body = { currentPassword: person.password, newPassword }
    const [refreshed, changed] = await race(
      () => refresh(node, person.refreshToken),
      () => other.post('/api/auth/password', { token: person.accessToken, body })
    )
    round.outcome('refresh', refreshed, 200)
    round.outcome('change', changed, 204)
    await round.deadAccess('the first', person.accessToken)
    const { accessToken, refreshToken } = tokensOf(refreshed)
    const verification = node.accessTokens.verify(accessToken)
    const version = verification.kind === 'valid' ? verification.claims.ver : 0
    if (version === 1) await round.deadAccess('the refreshed', accessToken)
    else
      round.outcome(
        'a token after the change',
        await node.get('/api/auth/me', { token: accessToken }),
        200
      )
    const next = await refresh(other, refreshToken)
    round.outcome('the session', next, 200)
    await round.lives('the session', tokensOf(next))
  })
})
