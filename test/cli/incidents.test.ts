import { eq, sql } from 'drizzle-orm'
import t from 'tap'
import { uuidv7 } from 'uuidv7'
import { nodes as nodeTable } from '../../src/database/schema.js'
import { createOperatedDeployment } from '../support/cli-deployment.js'
import { eventually } from '../support/eventually.js'
import type { TestKeycard } from '../support/keycard.js'
import { startRedis } from '../support/redis.js'
import { assertDead, me, verdict } from '../support/session-calls.js'

t.setTimeout(300_000)

const because = ['--reason', 'a key leaked', '--json'] as const

/** Writes the row of a node that decides from another data set and will say nothing more. */
async function addStranger(at: TestKeycard): Promise<string> {
  const id = uuidv7()
  const now = sql`now()`
  const row = { id, mode: 'redis', dataSet: 'another', startedAt: now, heartbeatAt: now } as const
  await at.app.database.write((db) => db.insert(nodeTable).values(row))
  return id
}

t.test('everyone --wait answers on four nodes of which one is frozen', async (t) => {
  const redis = await startRedis(t)
  const { start, spawn, cli } = await createOperatedDeployment(t, {
    redisUrl: redis.url,
    // Three are to be heard of, however busy the machine is.
    env: { LEASE_MS: '1500' }
  })
  const [frozen, ...nodes] = await Promise.all([spawn(), start(), start(), start()])
  const ada = await nodes[0].register()
  for (const each of [frozen, ...nodes]) t.equal(verdict(await me(each, ada.accessToken)), 200)
  await eventually('all four follow the stream', async () => {
    const { nodes: listed } = (await nodes[0].app.revocation.readRoster()) ?? {}
    return listed.length === 4 && listed.every(({ mode }) => mode === 'replica')
  })

  frozen.signal('SIGSTOP')
  const end = await cli.run(['revoke', 'everyone', '--yes', '--wait', ...because])
  t.equal(end.code, 0, end.stderr)
  t.match(end.json, {
    incident: { status: 'finished' },
    receipt: { guarantee: 'lease-expired', nodes: { length: 4 } }
  })
  const hows = end.json.receipt?.nodes.map(({ how }) => how).sort()
  t.same(hows, ['applied', 'applied', 'applied', 'lease-expired'])
  for (const each of nodes) await assertDead(t, each, ada)
  frozen.signal('SIGCONT')
  t.equal(verdict(await me(frozen, ada.accessToken)), 'TOKEN_REVOKED', 'nor does it when it wakes')
})

t.test('what can not be confirmed yet', async (t) => {
  const redis = await startRedis(t)
  const { start, cli } = await createOperatedDeployment(t, {
    redisUrl: redis.url,
    env: { REVOCATION_DEADLINE: '500ms', LEASE_MS: '100' }
  })
  const node = await start()
  const ada = await node.register()
  const stranger = await addStranger(node)

  const end = await cli.run(['revoke', 'everyone', '--yes', ...because])
  const id = end.json.error?.revocationId ?? ''
  t.match(end, { code: 3, json: { error: { exit: 3, message: `keycard revoke confirm ${id}` } } })
  t.match(end.stderr, stranger, 'it says who is waited for')
  await assertDead(t, node, ada)

  t.match(await cli.run(['revoke', 'confirm', id]), { code: 3 }, 'it does not revoke again')
  t.match((await cli.run(['status', '--json'])).json, { generation: 2 })

  const waiting = await cli.start(['revoke', 'confirm', id, '--wait', '--json'])
  await eventually('it says whom it waits for', () => waiting.stderr().includes(stranger), {
    withinMs: 20_000
  })
  await node.app.database.write((db) => db.delete(nodeTable).where(eq(nodeTable.id, stranger)))
  const confirmed = await waiting.ended
  t.equal(confirmed.code, 0, confirmed.stderr)
  t.match(JSON.parse(confirmed.stdout), { receipt: { revocationId: id, nodes: { length: 1 } } })
  t.match((await cli.run(['incidents', 'show', id, '--json'])).json, {
    incident: { status: 'finished', reason: 'a key leaked' }
  })

  await addStranger(node)
  const interrupted = await cli.start([
    'revoke',
    'session',
    ada.sessionId,
    '--wait',
    '--reason',
    'x'
  ])
  await eventually('it waits', () => interrupted.stderr().includes('Waiting'), { withinMs: 20_000 })
  interrupted.signal('SIGINT')
  t.match(await interrupted.ended, { code: 3, stderr: /keycard revoke confirm/ }, 'after Ctrl-C')
})

t.test('a cohort', async (t) => {
  const { start, cli } = await createOperatedDeployment(t)
  const node = await start()
  const [ada, bob] = [await node.register(), await node.register()]
  const count = 8_000
  await node.app.database.write((db) =>
    db.execute(sql`
      insert into sessions (id, user_id, version, generation, salt, created_at, last_used_at, expires_at, ip)
      select gen_random_uuid(), ${ada.id}, 1, 1, '\\x00', now(), now(), now() + interval '1 day', '10.1.2.3'
      from generate_series(1, ${count})`)
  )
  const target = ['--ip-range', '10.0.0.0/8'] as const

  t.match(await cli.run(['revoke', 'cohort', '--yes', ...because]), {
    code: 2,
    json: { error: { message: /at least one criterion/ } }
  })
  const dry = await cli.run(['revoke', 'cohort', ...target, '--dry-run', '--json'])
  t.match(dry.json, { hits: { sessions: count, accounts: 1, spared: 0 } })
  const spared = ['--spare', ada.email]
  t.match((await cli.run(['revoke', 'cohort', ...target, ...spared, '--dry-run', '--json'])).json, {
    hits: { sessions: 0, spared: count }
  })

  const running = await cli.start(['revoke', 'cohort', ...target, '--yes', '--reason', 'x'])
  await eventually('it has begun', () => /\[#*\.+\] \d+ % +[1-9]/.test(running.stderr()), {
    withinMs: 30_000
  })
  running.signal('SIGINT')
  const stopped = await running.ended
  t.equal(stopped.code, 3, stopped.stderr)
  const [, id = ''] = /keycard incidents resume (\S+)/.exec(stopped.stdout) ?? []
  const { json } = await cli.run(['incidents', 'show', id, '--json'])
  t.equal(json.incident?.status, 'stopped')
  const halfway = Number(json.incident?.sessionsRevoked)
  t.ok(halfway > 0 && halfway < count, `it stopped after ${halfway}`)

  const resumed = await cli.run(['incidents', 'resume', id, '--json'])
  t.match(resumed, { code: 0, json: { incident: { status: 'finished', sessionsRevoked: count } } })
  for (const { accessToken } of [ada, bob]) t.equal(verdict(await me(node, accessToken)), 200)
  t.match(await cli.run(['incidents', 'stop', id]), { code: 1, stderr: /finished already/ })
})
