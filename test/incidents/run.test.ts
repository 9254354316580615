import { and, eq, inArray, isNull, sql } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import { auditEvents, nodes, revocations, sessions } from '../../src/database/schema.js'
import type { CohortTarget } from '../../src/incidents/target.js'
import { createDeployment, startNodes } from '../support/deployment.js'
import { eventually } from '../support/eventually.js'
import { type Person, startKeycard, type TestKeycard } from '../support/keycard.js'
import { registerAdmin } from '../support/operators.js'
import { nobody } from '../support/origin.js'
import {
  addCrowd,
  incidentRow,
  incidentsOf,
  startIncident,
  unrevoked
} from '../support/population.js'
import { startRedis } from '../support/redis.js'
import { holdRows } from '../support/row-locks.js'
import { assertDead, assertLives, listSessions, verdict } from '../support/session-calls.js'

const keycard = await startKeycard(t)
const { database } = keycard.app

let keys = 0
/** A cohort of a test's own. */
async function newCohort(count: number, node = keycard) {
  const keyId = `key ${++keys}`
  const ids = await addCrowd(node, count, { keyIds: [keyId] })
  return { ids, target: { kind: 'cohort', keyId } as const satisfies CohortTarget }
}

/** Each session is revoked once, and that is known to be true everywhere. */
async function assertHitOnce(t: Test, ids: readonly string[], node = keycard): Promise<void> {
  const left = await unrevoked(node)
  t.same(
    ids.filter((id) => left.has(id)),
    [],
    'each is hit'
  )
  const rows = await node.app.database.read((db) =>
    db
      .select({ target: revocations.target })
      .from(revocations)
      .where(inArray(revocations.target, [...ids]))
  )
  t.equal(rows.length, ids.length, 'and recorded once')
}

async function auditOf(subject: string, node = keycard) {
  return await node.app.database.read((db) =>
    db.select().from(auditEvents).where(eq(auditEvents.subject, subject)).orderBy(auditEvents.id)
  )
}

t.test('it can be stopped and goes on where it was', async (t) => {
  const { ids, target } = await newCohort(50)
  const incidents = incidentsOf(keycard, { batchSize: 10 })
  const id = await startIncident(incidents, target)
  let stopping: Promise<unknown> | undefined
  const stopped = await incidents.run(id, {
    onProgress: ({ batches }) => {
      if (batches === 2) stopping = incidents.stop(id, nobody)
    }
  })
  t.match(stopped, { status: 'stopped', finishedAt: null, receipt: null })
  t.match(await stopping, { status: 'stopped' })
  const { sessionsRevoked = 0 } = stopped ?? {}
  t.ok(sessionsRevoked >= 20 && sessionsRevoked < 50, 'in the middle')
  const left = await unrevoked(keycard)
  t.equal(ids.filter((each) => left.has(each)).length, 50 - sessionsRevoked)

  t.match(await incidents.stop(id, nobody), { status: 'stopped' }, 'once more changes nothing')
  t.match(await incidents.run(id), { status: 'stopped' }, 'nobody works on it')
  t.match(await incidents.resume(id, nobody), { status: 'running' })
  t.match(await incidents.run(id), { status: 'finished', sessionsRevoked: 50 })
  await assertHitOnce(t, ids)
  t.match(await incidents.stop(id, nobody), { status: 'finished' })
  t.match(await incidents.resume(id, nobody), { status: 'finished' })
  const actions = (await auditOf(id)).map(({ action }) => action)
  t.same(
    actions.filter((action) => action !== 'incident.batch_revoked'),
    ['incident.started', 'incident.stopped', 'incident.resumed', 'incident.finished']
  )
})

t.test('what is audited', async (t) => {
  const { ids, target } = await newCohort(12)
  const incidents = incidentsOf(keycard, { batchSize: 10 })
  const id = await startIncident(incidents, target)
  await incidents.run(id)
  const events = await auditOf(id)
  t.match(events, [
    { action: 'incident.started', details: { target, sessionsExpected: 12 } },
    { action: 'incident.batch_revoked', details: { sessions: 10 } },
    { action: 'incident.batch_revoked', details: { sessions: 2 } },
    { action: 'incident.finished', details: { sessions: 12, batches: 2, guarantee: 'applied' } }
  ])
  t.ok(events.every(({ reason }) => reason === 'key leaked'))
  for (const session of ids) {
    const [event, ...others] = await auditOf(session)
    t.match(event, { action: 'session.revoked', subjectKind: 'session', reason: 'key leaked' })
    t.ok(event?.userId)
    t.same(others, [])
  }
})

t.test('a worker that leaves is followed by another one, at once', async (t) => {
  const { ids, target } = await newCohort(30)
  const incidents = incidentsOf(keycard, { batchSize: 10 })
  const id = await startIncident(incidents, target)
  const leaving = new AbortController()
  const left = await incidents.run(id, {
    signal: leaving.signal,
    onProgress: () => leaving.abort()
  })
  t.match(left, { status: 'running', sessionsRevoked: 10 })
  t.match(await incidentRow(keycard, id), { workerId: null })
  t.ok((await incidents.orphans()).includes(id))
  t.match(await incidents.run(id), { status: 'finished', sessionsRevoked: 30 })
  await assertHitOnce(t, ids)
})

t.test('workers that take it from each other count each session once', async (t) => {
  const { ids, target } = await newCohort(120)
  // Every worker takes the others for dead.
  const workers = [7, 10, 13].map((batchSize) => incidentsOf(keycard, { batchSize, staleMs: 0 }))
  const [first] = workers
  if (first === undefined) throw new Error('There is no worker')
  const id = await startIncident(first, target)
  const ends = await Promise.all(workers.map((incidents) => incidents.run(id)))
  for (const end of ends) t.match(end, { status: 'finished', sessionsRevoked: 120 })
  await assertHitOnce(t, ids)
})

t.test('two operators at once: both finish, and their counts add up', async (t) => {
  const { ids, target } = await newCohort(120)
  const operators = [7, 10].map((batchSize) => incidentsOf(keycard, { batchSize }))
  const ends = await Promise.all(
    operators.map(async (incidents) => incidents.run(await startIncident(incidents, target)))
  )
  for (const end of ends) t.match(end, { status: 'finished' })
  const revoked = ends.map((end) => end?.sessionsRevoked ?? 0)
  t.equal((revoked[0] ?? 0) + (revoked[1] ?? 0), 120, revoked.join(' + '))
  await assertHitOnce(t, ids)
})

t.test('a session that somebody holds is looked at again', async (t) => {
  const { ids, target } = await newCohort(20)
  const [held = '', gone = ''] = ids
  const holder = await holdRows(t, keycard.databaseUrl)
  await holder.sql`update sessions set last_used_at = now() where id = ${held}`
  await holder.sql`update sessions set key_ids = '{another}' where id = ${gone}`
  const incidents = incidentsOf(keycard)
  const id = await startIncident(incidents, target)
  const running = incidents.run(id)
  await eventually('all others are hit', async () => {
    return (await incidentRow(keycard, id)).sessionsRevoked === 18
  })
  t.match(await incidents.find(id), { status: 'running' }, 'it is not over without them')
  await holder.commit()
  t.match(await running, { status: 'finished', sessionsRevoked: 19 })
  t.same(
    [...(await unrevoked(keycard))].filter((each) => ids.includes(each)),
    [gone]
  )
})

t.test('whoever logs in during the run stays, and whoever was there is out', async (t) => {
  await newCohort(30)
  const present = await keycard.register()
  const incidents = incidentsOf(keycard, { batchSize: 10 })
  const arriving: Promise<Person>[] = []
  const id = await startIncident(incidents, {
    kind: 'cohort',
    createdAfter: '2001-01-01T00:00:00Z'
  })
  await incidents.run(id, { onProgress: () => arriving.push(keycard.register()) })
  await assertDead(t, keycard, present)
  t.ok(arriving.length > 1)
  for (const person of await Promise.all(arriving)) await assertLives(t, keycard, person)
})

t.test('a token of a hit session is refused everywhere the moment that it is over', async (t) => {
  const redis = await startRedis(t)
  const sites = await startNodes(t, 3, { redisUrl: redis.url })
  const [node] = sites
  const people = await Promise.all(sites.flatMap((site) => [1, 2, 3, 4].map(() => site.register())))
  const incidents = incidentsOf(node, { batchSize: 5 })
  const id = await startIncident(incidents, { kind: 'cohort', ipRange: '127.0.0.0/8' })
  const end = await incidents.run(id)
  const visits = sites.flatMap((site) => people.map((one) => listSessions(site, one.accessToken)))
  t.same([...new Set((await Promise.all(visits)).map(verdict))], ['TOKEN_REVOKED'])
  t.match(end, { status: 'finished', sessionsRevoked: 12, batches: 3 })
  t.match(end?.receipt, { guarantee: 'applied' })
  t.same(
    end?.receipt?.nodes.map((each) => each.id).sort(),
    sites.map(({ app }) => app.revocation.nodeId).sort()
  )
})

/** Somebody on the list of nodes of whom nothing is known for a minute. */
async function addMute(node: TestKeycard): Promise<string> {
  const id = uuidv7()
  const now = sql`now()`
  await node.app.database.write((db) =>
    db.insert(nodes).values({ id, mode: 'redis', startedAt: now, heartbeatAt: now })
  )
  return id
}

t.test('nothing is over before every batch is confirmed, whoever confirms it', async (t) => {
  const [node] = await startNodes(t, 1, { env: { REVOCATION_DEADLINE: '250ms', LEASE_MS: '100' } })
  const mute = await addMute(node)
  const { ids, target } = await newCohort(20, node)
  const incidents = incidentsOf(node, { batchSize: 10 })
  const id = await startIncident(incidents, target)
  const leaving = new AbortController()
  const running = incidents.run(id, { signal: leaving.signal })
  await eventually('all sessions are revoked', async () => {
    return (await incidentRow(node, id)).sessionsRevoked === 20
  })
  leaving.abort()
  t.match(await running, { status: 'running' })
  const unconfirmed = and(inArray(revocations.target, ids), isNull(revocations.confirmedAt))
  const countUnconfirmed = () => node.app.database.read((db) => db.$count(revocations, unconfirmed))
  t.equal(await countUnconfirmed(), 20)

  const next = incidents.run(id)
  const other = incidents.run(await startIncident(incidents, target))
  await eventually('it waits', async () => (await incidentRow(node, id)).workerId)
  t.match(await incidents.find(id), { status: 'running' })
  await node.app.database.write((db) => db.delete(nodes).where(eq(nodes.id, mute)))
  const end = await next
  t.match(end, { status: 'finished', sessionsRevoked: 20 })
  t.match(end?.receipt, { guarantee: 'applied', nodes: [{ id: node.app.revocation.nodeId }] })
  t.equal(await countUnconfirmed(), 0)
  t.match(await other, { status: 'finished', sessionsRevoked: 0 })
  await assertHitOnce(t, ids, node)
})

t.test('a node that is killed in the middle of it', async (t) => {
  const { start, spawn } = await createDeployment(t, { env: { LEASE_MS: '100' } })
  const node = await start()
  const admin = await registerAdmin(node)
  const { ids, target } = await newCohort(4_000, node)
  const doomed = await spawn()
  const { body } = await doomed.post('/api/admin/incidents', {
    token: admin.accessToken,
    body: { target, reason: 'key leaked' }
  })
  const id = body.incident?.id ?? ''
  await eventually('it has begun', async () => (await incidentRow(node, id)).batches > 0)
  doomed.signal('SIGKILL')
  await doomed.ended
  const { sessionsRevoked } = await incidentRow(node, id)
  t.ok(sessionsRevoked < 4_000, `${sessionsRevoked} were hit before`)
  const end = await incidentsOf(node, { staleMs: 100 }).run(id)
  t.match(end, { status: 'finished', sessionsRevoked: 4_000 })
  t.equal(end?.receipt?.nodes.length, 2, 'the killed node is still on the list')
  await assertHitOnce(t, ids, node)
})

t.test('sessions that cannot be hit any more are not counted', async (t) => {
  const { ids, target } = await newCohort(3)
  const [first = ''] = ids
  await database.write((db) => db.delete(sessions).where(eq(sessions.id, first)))
  const incidents = incidentsOf(keycard)
  const end = await incidents.run(await startIncident(incidents, target))
  t.match(end, { sessionsExpected: 2, sessionsRevoked: 2 })
  const again = await incidents.run(await startIncident(incidents, target))
  t.match(again, { status: 'finished', sessionsRevoked: 0, receipt: null })
  t.equal(await incidents.run(uuidv7()), undefined)
  t.equal(await incidents.stop(uuidv7(), nobody), undefined)
})
