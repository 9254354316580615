import { sql } from 'drizzle-orm'
import t from 'tap'
import { incidents as incidentRows } from '../../src/database/schema.js'
import { domainOf } from '../support/domain.js'
import { eventually } from '../support/eventually.js'
import { newSecrets, startKeycard } from '../support/keycard.js'
import { incidentRow, incidentsOf, startIncident } from '../support/population.js'
import { createTestDatabase } from '../support/postgres.js'

const everywhere = { kind: 'cohort', ipRange: '127.0.0.0/8' } as const

t.test('a session that a node opened whose clock is ahead is hit', async (t) => {
  const shared = { databaseUrl: await createTestDatabase(t), secrets: newSecrets() }
  const here = await startKeycard(t, shared)
  const ahead = await startKeycard(t, { ...shared, clock: () => Date.now() + 20_000 })
  const { accessToken: token } = await ahead.register()
  const incidents = incidentsOf(here)
  t.match(await incidents.run(await startIncident(incidents, everywhere)), {
    status: 'finished',
    sessionsRevoked: 1
  })
  t.equal((await here.get('/api/auth/me', { token })).status, 401)
  t.equal((await ahead.get('/api/auth/me', { token })).status, 401)
})

t.test('a login that was under way at the start is hit before the end is told', async (t) => {
  const keycard = await startKeycard(t)
  const { id: userId } = await keycard.register()
  const { sessions } = domainOf(keycard)
  const incidents = incidentsOf(keycard)
  const { run, token } = await keycard.app.database.transaction(async (tx) => {
    const client = { ip: '127.0.0.1', userAgent: null }
    const login = await sessions.open(tx, { id: userId, expectedVersion: 1 }, client, 'login')
    const id = await startIncident(incidents, everywhere)
    const run = incidents.run(id)
    await eventually('it asks whether the login has ended', () =>
      keycard.app.database.read(async (db) => {
        const asked = sql`select 1 from pg_stat_activity
          where datname = current_database() and query like '%pg_snapshot_xmin(now.snapshot)%'
            and query not like '%pg_stat_activity%'`
        return (await db.execute(asked)).length > 0
      })
    )
    t.match(await incidentRow(keycard, id), { status: 'running', sessionsRevoked: 1 })
    return { run, token: login?.accessToken }
  })
  t.match(await run, { status: 'finished', sessionsRevoked: 2 })
  t.equal((await keycard.get('/api/auth/me', { token })).status, 401)
})

t.test('an incident of a cluster that was restored elsewhere waits for nobody', async (t) => {
  const keycard = await startKeycard(t)
  await keycard.register()
  const incidents = incidentsOf(keycard)
  const id = await startIncident(incidents, everywhere)
  await keycard.app.database.write((db) =>
    db.update(incidentRows).set({ startedXid: sql`'9000000000000000000'::xid8` })
  )
  const { accessToken: token } = await keycard.register()
  t.match(await incidents.run(id), { status: 'finished', sessionsRevoked: 1 })
  t.equal((await keycard.get('/api/auth/me', { token })).status, 200, 'nor does it hit new ones')
})
