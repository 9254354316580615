import { randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import t from 'tap'
import { sessions, users } from '../../src/database/schema.js'
import { playRounds, startPair } from '../support/race.js'
import { listSessions, logIn, refresh, tokensOf, verdict } from '../support/session-calls.js'

const pair = await startPair(t)

t.test('twenty registrations of one e-mail address', async (t) => {
  await playRounds(
    t,
    pair,
    async ({ number, nodes, ...round }) => {
      const email = `${randomUUID()}@example.com`
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          nodes[index % 2 === 0 ? 0 : 1].post('/api/auth/register', {
            body: {
              email: index % 3 === 0 ? email.toUpperCase() : email,
              password: `correct horse ${number} ${index}`,
              name: 'Ada',
              tokenDelivery: 'body'
            }
          })
        )
      )
      for (const answer of answers) round.outcome('registration', answer, 201, 'EMAIL_TAKEN')
      const made = answers.filter(({ status }) => status === 201)
      round.expect(made.length === 1, `${made.length} accounts were made`)
      for (const answer of made) await round.lives('the account', tokensOf(answer))

      const rows = await nodes[0].app.database.read((db) =>
        db
          .select({ session: sessions.id })
          .from(users)
          .leftJoin(sessions, eq(sessions.userId, users.id))
          .where(eq(users.email, email))
      )
      round.expect(rows.length === 1, `${rows.length} rows of accounts and sessions`)
      round.expect(rows[0]?.session === made[0]?.body.sessionId, 'it is not the session answered')
    },
    { atOnce: 2 }
  )
})

t.test('the end of an account against refresh and login', async (t) => {
  await playRounds(t, pair, async ({ nodes: [node, other], race, ...round }) => {
    const person = await node.register()
    const elsewhere = tokensOf(await logIn(node, person))
    const { accessToken: token, password } = person
    const [[refreshed, login], deleted] = await race(
      () => Promise.all([refresh(node, elsewhere.refreshToken), logIn(node, person)]),
      () => other.delete('/api/auth/me', { token, body: { password } })
    )
    round.outcome('refresh', refreshed, 200, 'INVALID_REFRESH_TOKEN')
    round.outcome('login', login, 200, 'INVALID_CREDENTIALS')
    round.outcome('deletion', deleted, 204)
    for (const answer of [refreshed, login]) {
      if (answer.status === 200) await round.dead('the answered', tokensOf(answer))
    }
    await round.dead('the session that asked', person)
    await round.dead('the other session', elsewhere)
    const body = { email: person.email, password, name: 'Grace', tokenDelivery: 'body' }
    const again = await node.post('/api/auth/register', { body })
    round.outcome('the e-mail address', again, 201)
    const next = tokensOf(again)
    round.outcome('the next account', await listSessions(other, next.accessToken), 200)
  })
})

t.test('two deletions of one account', async (t) => {
  await playRounds(
    t,
    pair,
    async ({ nodes: [node, other], race, ...round }) => {
      const { accessToken: token, password, ...person } = await node.register()
      const end = (from: typeof node) => from.delete('/api/auth/me', { token, body: { password } })
      const answers = await race(
        () => end(node),
        () => end(other)
      )
      for (const answer of answers) round.outcome('deletion', answer, 204, 'TOKEN_REVOKED')
      round.expect(answers.map(verdict).includes(204), 'the account was not deleted')
      await round.deadAccess('the account', token)
      round.expect((await logIn(node, { ...person, password })).status === 401, 'a login went well')
    },
    { rounds: 60 }
  )
})
