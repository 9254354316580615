import { eq, sql } from 'drizzle-orm'
import t from 'tap'
import { sessions } from '../../src/database/schema.js'
import { startKeycard } from '../support/keycard.js'
import { registerAdmin } from '../support/operators.js'
import { incidentsOf, startIncident } from '../support/population.js'
import { holdRows } from '../support/row-locks.js'
import { logIn, tokensOf, verdict } from '../support/session-calls.js'
import { administration } from '../support/user-administration.js'

const keycard = await startKeycard(t)
const users = administration(keycard, await registerAdmin(keycard))
const incidents = incidentsOf(keycard)

/** Somebody with two sessions, of which the first one's row lies behind the other's, as rows may. */
async function newPerson() {
  const person = await keycard.register()
  const second = tokensOf(await logIn(keycard, person))
  await keycard.app.database.write((db) =>
    db
      .update(sessions)
      .set({ expiresAt: sql`${sessions.expiresAt} + interval '1 second'` })
      .where(eq(sessions.id, person.sessionId))
  )
  return { ...person, order: [person.sessionId, second.sessionId] as const }
}

const changes: Readonly<Record<string, (id: string) => Promise<unknown>>> = {
  'new roles': async (id) => verdict(await users.change(id, { roles: ['user'] })),
  'the end of an account': async (id) => verdict(await users.remove(id)),
  'an incident that spares': async (id) =>
    await startIncident(incidents, { kind: 'everyone', spare: [id] })
}

for (const [what, change] of Object.entries(changes)) {
  t.test(
    `${what}: sessions are locked in the order of their ids, as by everybody else`,
    async (t) => {
      const { id, order } = await newPerson()
      const other = await holdRows(t, keycard.databaseUrl)
      await other.sql`select from sessions where id = ${order[0]} for update`
      const changed = change(id)
      await other.waitedForBy(changed)
      await other.sql`select from sessions where id = ${order[1]} for update`
      await other.commit()
      const outcome = await changed
      t.ok(outcome !== 'DEPENDENCY_UNAVAILABLE', String(outcome))
    }
  )
}
