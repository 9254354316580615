import { sql } from 'drizzle-orm'
import t from 'tap'
import { startKeycard } from '../support/keycard.js'
import { logIn, me, refresh, tokensOf, verdict } from '../support/session-calls.js'

t.test(
  'while a migration changes the type of a column, no answer is an error of ours',
  async (t) => {
    const keycard = await startKeycard(t)
    const ada = await keycard.register()
    let refreshToken = ada.refreshToken

    /** One request of each kind: a read, a write of one statement, and transactions. */
    async function useAll() {
      const token = ada.accessToken
      const refreshed = await refresh(keycard, refreshToken)
      if (refreshed.status === 200) refreshToken = tokensOf(refreshed).refreshToken
      const answers = [
        refreshed,
        await me(keycard, token),
        await keycard.patch('/api/auth/me', { token, body: { name: 'Ada' } }),
        await logIn(keycard, ada)
      ]
      for (const answer of answers) {
        if (answer.status !== 503) continue
        t.match(answer.headers.get('retry-after'), /^[1-9]\d*$/)
      }
      return answers.map(verdict)
    }

    t.same(await useAll(), [200, 200, 200, 200])
    for (const length of [400, 500]) {
      await keycard.app.database.write((db) =>
        db.execute(sql.raw(`alter table users alter column name type varchar(${length})`))
      )
      for (const answer of await useAll()) {
        t.ok(answer === 200 || answer === 'DEPENDENCY_UNAVAILABLE', String(answer))
      }
      t.same(await useAll(), [200, 200, 200, 200])
    }
  }
)
