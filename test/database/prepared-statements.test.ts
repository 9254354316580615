import { sql } from 'drizzle-orm'
import t from 'tap'
import { uuidv7 } from 'uuidv7'
import { connectDatabase } from '../../src/database/connection.js'
import { arePublished, markConfirmed, markPublished } from '../../src/revocation/store.js'
import { startKeycard } from '../support/keycard.js'
import { addCrowd, incidentsOf, startIncident } from '../support/population.js'

t.test('a connection keeps the same statements, however many rows they are about', async (t) => {
  const keycard = await startKeycard(t)
  const database = connectDatabase(keycard.databaseUrl, { limits: { connections: 1 } })
  t.teardown(() => database.close())
  const incidents = incidentsOf(keycard, { database })

  async function texts(): Promise<string[]> {
    const rows = await database.read((db) =>
      db.execute<{ text: string }>(
        sql`select statement as text from pg_prepared_statements order by statement`
      )
    )
    return rows.map(({ text }) => text)
  }

  /** A batch of an incident, its publication and its confirmation. */
  async function revoke(count: number): Promise<void> {
    const keyId = `key ${count}`
    await addCrowd(keycard, count, { keyIds: [keyId] })
    const spare = Array.from({ length: count }, () => uuidv7())
    const id = await startIncident(incidents, { kind: 'cohort', keyId, spare })
    const end = await incidents.run(id)
    t.match(end, { status: 'finished', sessionsRevoked: count, batches: 1 })
    const ids = Array.from({ length: count }, () => uuidv7())
    await database.write((db) => markPublished(db, ids, { dataSet: 'none', now: new Date() }))
    t.notOk(await database.read((db) => arePublished(db, ids)))
    await database.write((db) => markConfirmed(db, ids, new Date()))
  }

  await revoke(1)
  await texts()
  const before = await texts()
  t.ok(before.some((text) => text.includes('"sessions"')))
  for (const count of [2, 5]) await revoke(count)
  t.same(await texts(), before)
})
