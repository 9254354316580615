import { randomUUID } from 'node:crypto'
import t from 'tap'
import { startNodes } from '../../support/deployment.js'
import { eventually } from '../../support/eventually.js'
import { startKeycard } from '../../support/keycard.js'
import { events } from '../../support/node-log.js'
import { registerAdmin, registerAs } from '../../support/operators.js'
import { addCrowd, incidentRow, incidentsOf, unrevoked } from '../../support/population.js'
import { holdRows } from '../../support/row-locks.js'
import { assertDead, assertLives, logIn, tokensOf, verdict } from '../../support/session-calls.js'

const path = '/api/admin/incidents'
const reason = 'key leaked'

const keycard = await startKeycard(t)
const admin = await registerAdmin(keycard)
const start = (body: unknown, token = admin.accessToken) => keycard.post(path, { token, body })
const incidentAt = async (id: string) =>
  (await keycard.get(`${path}/${id}`, { token: admin.accessToken })).body.incident

t.test('a cohort: the dry run, the start, the progress and the receipt', async (t) => {
  const ids = await addCrowd(keycard, 30, { keyIds: ['leaked'] })
  const target = { kind: 'cohort', keyId: 'leaked' }
  const dry = await start({ target, reason, dryRun: true })
  t.equal(dry.status, 200)
  t.match(dry.body.estimate, { sessions: 30, accounts: 30, spared: 0, nodes: 1 })
  t.ok(Number(dry.body.estimate?.['hashMs']) > 0)
  const before = await unrevoked(keycard)
  t.ok(
    ids.every((id) => before.has(id)),
    'nothing has happened'
  )

  const started = await start({ target, reason })
  t.equal(started.status, 202, started.text)
  t.match(started.body.incident, {
    target,
    reason,
    actor: { kind: 'user', id: admin.id },
    status: 'running',
    sessionsExpected: 30,
    receipt: null
  })
  const id = started.body.incident?.id ?? ''
  const finished = await eventually('it is finished', async () => {
    const incident = await incidentAt(id)
    return incident?.status === 'finished' && incident
  })
  t.match(finished, { sessionsRevoked: 30, batches: 1, receipt: { guarantee: 'applied' } })
  t.ok(Date.parse(String(finished.finishedAt)) >= Date.parse(finished.startedAt))
  const after = await unrevoked(keycard)
  t.notOk(ids.some((each) => after.has(each)))
  const list = await keycard.get(path, { token: admin.accessToken })
  t.same(list.body.incidents?.[0], finished, 'the newest first')
  t.ok(events(keycard).includes('incident.started'))
})

t.test('stop and resume', async (t) => {
  const ids = await addCrowd(keycard, 3, { keyIds: ['stopped'] })
  const holder = await holdRows(t, keycard.databaseUrl)
  await holder.sql`select from sessions where id = ${ids[0] ?? ''} for update`
  const { body } = await start({ target: { kind: 'cohort', keyId: 'stopped' }, reason })
  const id = body.incident?.id ?? ''
  const turn = (how: string) => keycard.post(`${path}/${id}/${how}`, { token: admin.accessToken })
  await eventually('the others are hit', async () => (await incidentAt(id))?.sessionsRevoked === 2)
  t.match((await turn('stop')).body.incident, { status: 'stopped', sessionsRevoked: 2 })
  await holder.commit()
  t.match((await turn('stop')).body.incident, { status: 'stopped', sessionsRevoked: 2 })
  t.match((await turn('resume')).body.incident, { status: 'running' })
  await eventually('it goes on', async () => (await incidentAt(id))?.status === 'finished')
  t.match((await turn('resume')).body.incident, { status: 'finished', sessionsRevoked: 3 })
})

t.test('what is not asked for in earnest is refused, and nothing happens', async (t) => {
  const everyone = { kind: 'everyone', confirm: 'everyone' }
  const cohort = { kind: 'cohort', role: 'admin' }
  const bodies: unknown[] = [
    {},
    { target: everyone },
    { target: everyone, reason: ' ' },
    { target: { kind: 'everyone' }, reason },
    { target: { kind: 'everyone', confirm: 'yes' }, reason },
    { target: { ...everyone, role: 'admin' }, reason },
    { target: everyone, reason, dryRun: false },
    { target: everyone, reason, spare: ['ada@example.com'] },
    { target: everyone, reason, spare: Array.from({ length: 301 }, () => randomUUID()) },
    { target: everyone, reason, spare: [admin.id, randomUUID()] },
    { target: { kind: 'everyone' }, reason, spare: [randomUUID()], dryRun: true },
    { target: everyone, reason, spareRole: 'admin' },
    { target: { kind: 'cohort' }, reason },
    { target: { kind: 'cohort' }, reason, spareRole: 'service' },
    { target: { ...cohort, confirm: 'everyone' }, reason },
    { target: { kind: 'cohort', role: '' }, reason },
    { target: { kind: 'cohort', createdBefore: 'yesterday' }, reason },
    { target: { kind: 'cohort', createdBefore: '2026-02-31' }, reason },
    { target: { kind: 'cohort', ipRange: '192.0.2.0/33' }, reason },
    { target: { kind: 'cohort', ipRange: 'localhost' }, reason },
    { target: { kind: 'cohort', keyId: 1 }, reason },
    { target: cohort, reason, actorId: admin.id }
  ]
  const before = (await keycard.get(path, { token: admin.accessToken })).text
  for (const body of bodies) {
    t.equal(verdict(await start(body)), 'VALIDATION_FAILED', JSON.stringify(body).slice(0, 90))
  }
  const unconfirmed = await start({ target: { kind: 'everyone' }, reason })
  t.match(unconfirmed.body.errors, [{ path: '/target/confirm' }])
  const range = await start({ target: { kind: 'cohort', ipRange: 'localhost' }, reason })
  t.match(range.body.errors, [{ path: '/target/ipRange' }])
  const dry = await start({ target: { kind: 'everyone' }, reason, dryRun: true })
  t.equal(dry.status, 200, 'a dry run needs no confirmation')
  t.equal((await keycard.get(path, { token: admin.accessToken })).text, before)
  for (const how of ['', '/stop', '/resume']) {
    const method = how === '' ? 'GET' : 'POST'
    const answer = await keycard.send(method, `${path}/${randomUUID()}${how}`, {
      token: admin.accessToken
    })
    t.equal(verdict(answer), 'NOT_FOUND', how)
  }
})

t.test('it is for administrators', async (t) => {
  const [user, service] = [await keycard.register(), await registerAs(keycard, ['service'])]
  const target = { kind: 'everyone', confirm: 'everyone' }
  for (const { accessToken } of [user, service]) {
    t.equal(verdict(await start({ target, reason }, accessToken)), 'FORBIDDEN')
    t.equal(verdict(await keycard.get(path, { token: accessToken })), 'FORBIDDEN')
    for (const how of ['stop', 'resume']) {
      const answer = await keycard.post(`${path}/${randomUUID()}/${how}`, { token: accessToken })
      t.equal(verdict(answer), 'FORBIDDEN')
    }
  }
  t.equal(verdict(await keycard.post(path, { body: { target, reason } })), 'MISSING_TOKEN')
})

t.test('everyone, whoever asked for it included, and not those who are spared', async (t) => {
  const [ada, robot] = [await keycard.register(), await registerAs(keycard, ['service'])]
  const started = await start({
    target: { kind: 'everyone', confirm: 'everyone' },
    spare: [robot.id],
    reason
  })
  t.equal(started.status, 202, started.text)
  const { id = '', target } = started.body.incident ?? {}
  t.same(target, { kind: 'everyone' })
  await eventually('it is true everywhere', async () => {
    return (await incidentRow(keycard, id)).status === 'finished'
  })
  await assertDead(t, keycard, ada)
  await assertDead(t, keycard, admin)
  const again = tokensOf(await logIn(keycard, admin))
  const answer = await keycard.get(`${path}/${id}`, { token: again.accessToken })
  t.match(answer.body.incident, { spare: [robot.id], receipt: { revocationId: id } })
  const { refreshToken } = robot
  const renewed = await keycard.post('/api/auth/refresh', { body: { refreshToken } })
  await assertLives(t, keycard, tokensOf(renewed))
})

t.test('a node that stops leaves it to another one, which takes it by itself', async (t) => {
  const [first, second] = await startNodes(t, 2)
  if (second === undefined) throw new Error('There is one node only')
  const boss = await registerAdmin(first)
  const ids = await addCrowd(first, 3, { keyIds: ['left'] })
  const holder = await holdRows(t, first.databaseUrl)
  await holder.sql`select from sessions where id = ${ids[0] ?? ''} for update`
  const { body } = await first.post(path, {
    token: boss.accessToken,
    body: { target: { kind: 'cohort', keyId: 'left' }, reason }
  })
  const id = body.incident?.id ?? ''
  await eventually('the others are hit', async () => {
    return (await incidentRow(first, id)).sessionsRevoked === 2
  })
  await first.app.close()
  t.match(await incidentsOf(second).find(id), { status: 'running' })
  await holder.commit()
  await eventually(
    'it is finished',
    async () => (await incidentRow(second, id)).status === 'finished',
    { withinMs: 15_000 }
  )
  t.match(await incidentsOf(second).find(id), { sessionsRevoked: 3 })
})
