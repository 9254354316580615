import { sql } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import { watchForOutage } from '../../src/cli/outage-watch.js'
import { connectDatabase } from '../../src/database/connection.js'
import { incidents, nodes, users } from '../../src/database/schema.js'
import { createCli } from '../support/cli.js'
import { eventually } from '../support/eventually.js'
import { startPostgres } from '../support/postgres.js'
import type { ServiceProcess } from '../support/service-process.js'

t.setTimeout(300_000)

const count = 6_000
const because = ['--reason', 'a key leaked', '--yes'] as const
const patient = { withinMs: 30_000 }

async function startHurtable(t: Test) {
  const postgres = await startPostgres(t)
  const database = connectDatabase(postgres.url)
  t.teardown(() => database.close())
  const cli = await createCli(t, { DATABASE_URL: postgres.url, ARGON2_MEMORY_KIB: '1024' })
  return { postgres, database, cli }
}

t.test('Postgres goes away while an incident is worked on', async (t) => {
  const { postgres, database, cli } = await startHurtable(t)
  const now = new Date()
  const userId = uuidv7()
  const person = { id: userId, email: 'ada@example.com', name: 'Ada', passwordHash: '!' }
  await database.write((db) =>
    db.insert(users).values({ ...person, createdAt: now, updatedAt: now })
  )
  async function addSessions(): Promise<void> {
    await database.write((db) =>
      db.execute(sql`
        insert into sessions (id, user_id, version, generation, salt, created_at, last_used_at, expires_at, ip)
        select gen_random_uuid(), ${userId}, 1, 1, '\\x00', now(), now(), now() + interval '1 day', '10.1.2.3'
        from generate_series(1, ${count})`)
    )
  }
  /** A command that has revoked some, when Postgres dies. */
  async function hitAndKill(): Promise<ServiceProcess> {
    await addSessions()
    const running = await cli.start(['revoke', 'cohort', '--ip-range', '10.0.0.0/8', ...because])
    const hasBegun = () => /\[#*\.+\] \d+ % +[1-9]/.test(running.stderr())
    await eventually('it has begun', hasBegun, patient)
    await postgres.kill()
    const says = () => running.stderr().includes('Postgres does not answer')
    await eventually('it says what it waits for', says, patient)
    return running
  }
  const forgetWorker = () =>
    database
      .write((db) => db.update(incidents).set({ heartbeatAt: null }))
      .then(
        () => true,
        () => false
      )
  const listed = async () => (await cli.run(['incidents', 'list', '--json'])).json['incidents']

  await t.test('and comes back: it goes on', async (t) => {
    const running = await hitAndKill()
    await postgres.start()
    const { code, stdout, stderr } = await running.ended
    t.equal(code, 0, stderr)
    t.match(stdout, `Done: ${count} sessions are revoked, and that is true on every node.`)
    t.match(await listed(), [{ status: 'finished', sessionsRevoked: count }])
  })

  await t.test('and nobody waits: what is recorded can be gone on with', async (t) => {
    const running = await hitAndKill()
    running.signal('SIGINT')
    const { code, stderr } = await running.ended
    t.equal(code, 3, 'it is recorded, and not known to be true everywhere')
    const [, id = ''] = /go on from here with: keycard incidents resume (\S+)/.exec(stderr) ?? []
    t.match(stderr, `keycard: The incident ${id} is recorded`)
    await postgres.start()
    t.match(await listed(), { 0: { id, status: 'running' } })

    // The worker that is gone was heard of a moment ago, so that the next one watches at first.
    await database.write((db) => db.update(incidents).set({ heartbeatAt: sql`now()` }))
    const watching = await cli.start(['incidents', 'resume', id])
    await eventually('it watches', () => watching.stderr().includes('%'), patient)
    await postgres.kill()
    const says = () => watching.stderr().includes('Postgres does not answer')
    await eventually('it says what it waits for', says, patient)
    await postgres.start()
    await eventually('the worker is forgotten', forgetWorker, patient)
    const end = await watching.ended
    t.equal(end.code, 0, end.stderr)
    t.match(await listed(), { 0: { id, status: 'finished', sessionsRevoked: count } })
  })

  await t.test('while everyone is logged out, and that is waited for', async (t) => {
    const startedAt = sql`now()`
    const stranger = { id: uuidv7(), mode: 'redis', dataSet: 'another', startedAt } as const
    await database.write((db) => db.insert(nodes).values({ ...stranger, heartbeatAt: startedAt }))
    const running = await cli.start(['revoke', 'everyone', '--wait', '--json', ...because])
    const waits = (what: string) => () => running.stderr().includes(`Waiting for ${what}`)
    await eventually('it waits for a node', waits('1 node(s)'), patient)
    await postgres.kill()
    await eventually('it waits for Postgres', waits('Postgres'), patient)
    await postgres.start()
    await eventually(
      'Postgres is back',
      () =>
        database.ping().then(
          () => true,
          () => false
        ),
      patient
    )
    await database.write((db) => db.delete(nodes))
    const { code, stdout, stderr } = await running.ended
    t.equal(code, 0, stderr)
    t.match(JSON.parse(stdout), { incident: { status: 'finished' } })
  })

  await t.test('just as it starts: it says where to look', async (t) => {
    await database.write((db) =>
      db.execute(sql`
        create function hang_up() returns trigger language plpgsql as
        $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$`)
    )
    await database.write((db) =>
      db.execute(sql`create trigger hang_up before insert on incidents execute function hang_up()`)
    )
    const end = await cli.run(['revoke', 'everyone', ...because])
    t.match(end, { code: 4, stderr: /not known: look with keycard incidents show [-0-9a-f]{36}/ })
  })

  await t.test('for longer than is waited', async (t) => {
    await postgres.kill()
    let isTold = false
    const watch = watchForOutage(database, { patienceMs: 100, onAway: () => (isTold = true) })
    await eventually('it gives up', () => watch.signal.aborted, patient)
    t.ok(isTold)
    await watch.stop()
  })
})
