import { sql } from 'drizzle-orm'
import t from 'tap'
import { eventually } from '../support/eventually.js'
import { startKeycard } from '../support/keycard.js'
import { revocationsOf } from '../support/revocation-rows.js'
import { holdRows } from '../support/row-locks.js'

t.test(
  'an answer waits for the note of its confirmation until the deadline, no longer',
  async (t) => {
    const keycard = await startKeycard(t, {
      env: { REVOCATION_DEADLINE: '300ms', LEASE_MS: '100' }
    })
    const { database } = keycard.app
    const lock = 1
    for (const statement of [
      `create function wait_for_test() returns trigger language plpgsql
     as $$ begin perform pg_advisory_xact_lock(${lock}); return new; end $$`,
      `create trigger wait_for_test before update of confirmed_at on revocations
     for each row execute function wait_for_test()`
    ]) {
      await database.write((db) => db.execute(sql.raw(statement)))
    }
    const holder = await holdRows(t, keycard.databaseUrl)
    await holder.sql`select pg_advisory_xact_lock(${lock})`

    const ada = await keycard.register()
    const { status, body } = await keycard.post('/api/auth/logout-all', { token: ada.accessToken })
    t.equal(status, 200)
    t.equal(body.receipt?.guarantee, 'applied')
    const waiting =
      await holder.sql`select from pg_locks where locktype = 'advisory' and not granted`
    t.equal(waiting.length, 1, 'the note is still on its way')

    await holder.commit()
    await eventually('it is written', async () => {
      const [row] = await revocationsOf(keycard, ada.id)
      return row?.confirmedAt != null
    })
  }
)
