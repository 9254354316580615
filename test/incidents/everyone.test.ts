import { eq } from 'drizzle-orm'
import t from 'tap'
import { auditEvents, deployment, sessions } from '../../src/database/schema.js'
import { maxSparedSessions } from '../../src/incidents/everyone.js'
import { createDeployment } from '../support/deployment.js'
import { startKeycard } from '../support/keycard.js'
import { registerAdmin, registerAs } from '../support/operators.js'
import { nobody } from '../support/origin.js'
import { addAccounts, addSessions, incidentsOf, startIncident } from '../support/population.js'
import { startRedis } from '../support/redis.js'
import { revocationsOf } from '../support/revocation-rows.js'
import {
  assertDead,
  assertLives,
  listSessions,
  logIn,
  refresh,
  sessionRow,
  tokensOf,
  verdict
} from '../support/session-calls.js'

const everyone = { kind: 'everyone' } as const

t.test('everyone is out but those who are spared', async (t) => {
  const keycard = await startKeycard(t)
  const incidents = incidentsOf(keycard)
  const ada = await keycard.register()
  const [named, robot] = [await keycard.register(), await registerAs(keycard, ['service'])]
  const dead = tokensOf(await logIn(keycard, named))
  await keycard.post('/api/auth/logout', { token: dead.accessToken })
  const ended = await addSessions(keycard, [
    { userId: named.id, version: 0 },
    { userId: named.id, generation: 0 }
  ])

  const target = { ...everyone, spare: [named.id], spareRole: 'service' } as const
  // The robot has two: it registered and logged in.
  t.match(await incidents.estimate(target), { sessions: 1, accounts: 1, spared: 3 })
  const id = await startIncident(incidents, target)
  const end = await incidents.run(id)
  t.match(end, { status: 'finished', sessionsExpected: 1, sessionsRevoked: 1 })
  t.match(end?.receipt, { revocationId: id, guarantee: 'applied', nodes: { length: 1 } })
  await assertDead(t, keycard, ada)
  for (const spared of [named, robot]) {
    t.equal(verdict(await listSessions(keycard, spared.accessToken)), 'TOKEN_REVOKED')
    await assertLives(t, keycard, tokensOf(await refresh(keycard, spared.refreshToken)))
  }
  await assertDead(t, keycard, dead)
  const generations = ended.map(async (each) => (await sessionRow(keycard, each)).generation)
  t.same(await Promise.all(generations), [1, 0], 'what was dead stays dead')
  t.equal(verdict(await logIn(keycard, ada)), 200)

  const events = await keycard.app.database.read((db) =>
    db.select().from(auditEvents).where(eq(auditEvents.action, 'everyone.revoked'))
  )
  t.match(events, [{ reason: 'key leaked', outcome: 'success' }])
})

t.test('nobody is spared unless it is said', async (t) => {
  const keycard = await startKeycard(t)
  const robot = await registerAs(keycard, ['service'])
  const incidents = incidentsOf(keycard)
  await incidents.run(await startIncident(incidents, everyone))
  await assertDead(t, keycard, robot)
})

t.test('where too many would be spared, nothing happens', async (t) => {
  const keycard = await startKeycard(t)
  const [userId = ''] = await addAccounts(keycard, 1)
  const many = Array.from({ length: maxSparedSessions + 1 }, () => ({ userId }))
  await addSessions(keycard, many)
  const incidents = incidentsOf(keycard)
  const target = { ...everyone, spare: [userId] }
  const start = { target, reason: 'test', origin: nobody }
  t.same(await incidents.start(start), { kind: 'too many spared' })
  const [row] = await keycard.app.database.read((db) => db.select().from(deployment))
  t.match(row, { generation: 1, loginsSpreadUntil: null })
  t.same(await incidents.list(), [])
  const expiresAt = new Date(0)
  await keycard.app.database.write((db) => db.update(sessions).set({ expiresAt }))
  t.match(await incidents.start(start), { kind: 'started' })
})

t.test('four nodes, one of them frozen: the receipt says that its lease is over', async (t) => {
  const redis = await startRedis(t)
  const { start, spawn } = await createDeployment(t, { redisUrl: redis.url })
  const frozen = await spawn()
  const nodes = await Promise.all([start(), start(), start()])
  const [node] = nodes
  const admin = await registerAdmin(node)
  const ada = await node.register()
  t.equal(verdict(await listSessions(frozen, ada.accessToken)), 200)
  frozen.signal('SIGSTOP')
  const { body } = await node.post('/api/admin/incidents', {
    token: admin.accessToken,
    body: { target: { ...everyone, confirm: 'everyone' }, reason: 'key leaked' }
  })
  const id = body.incident?.id ?? ''
  const end = await incidentsOf(node).run(id)
  t.match(end, { status: 'finished' })
  t.match(end?.receipt, { revocationId: id, guarantee: 'lease-expired', nodes: { length: 4 } })
  t.equal(end?.receipt?.nodes.filter(({ appliedAfterMs }) => appliedAfterMs === null).length, 1)
  frozen.signal('SIGCONT')
  for (const each of [frozen, ...nodes]) {
    t.equal(verdict(await listSessions(each, ada.accessToken)), 'TOKEN_REVOKED')
  }
  t.equal((await revocationsOf(node, id)).length, 0, 'it is not a session')
})

t.test('it is confirmed by whoever comes next, when the one who started it is gone', async (t) => {
  const keycard = await startKeycard(t)
  const id = await startIncident(incidentsOf(keycard), everyone)
  const ada = await keycard.register()
  const end = await incidentsOf(keycard, { staleMs: 0 }).run(id)
  t.match(end, { status: 'finished', receipt: { revocationId: id } })
  await assertLives(t, keycard, ada)
  const again = await incidentsOf(keycard).run(id)
  t.same(again, end, 'once')
})
