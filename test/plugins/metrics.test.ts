import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { startNodes } from '../support/deployment.js'
import { eventually } from '../support/eventually.js'
import { startKeycard, type TestKeycard } from '../support/keycard.js'
import { me, verdict } from '../support/session-calls.js'

/** The value of a metric with these labels, as they are written. */
async function read(node: TestKeycard, name: string): Promise<number> {
  const { text } = await node.get('/metrics')
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `))
  return Number(line?.slice(name.length))
}

t.test(
  'the metrics say how tokens are decided about and how revocations are answered',
  async (t) => {
    const [node] = await startNodes(t, 2)
    const ada = await node.register()
    await me(node, ada.accessToken)
    await node.post('/api/auth/logout-all', { token: ada.accessToken })
    await me(node, ada.accessToken)

    const { headers, text } = await node.get('/metrics')
    t.match(headers.get('content-type'), 'text/plain')
    t.match(text, 'process_cpu_seconds_total')
    const verdicts = (outcome: string) =>
      read(node, `keycard_verdicts_total{outcome="${outcome}",decided_by="replica"}`)
    t.equal(await verdicts('live'), 2)
    t.equal(await verdicts('revoked'), 1)
    t.equal(await read(node, 'keycard_live_revocations'), 1)
    const answers = 'keycard_revocation_answer_seconds_count{kind="user",guarantee="applied"}'
    t.equal(await read(node, answers), 1)
    t.equal(await read(node, 'keycard_unpublished_revocations'), 0)
    const leftSeconds = await read(node, 'keycard_lease_left_seconds')
    t.ok(leftSeconds > 0 && leftSeconds <= 0.5, `${leftSeconds} s`)
    t.equal(await read(node, 'keycard_replica_transitions_total{to="replica"}'), 1)
  }
)

t.test('with a token, the metrics are for those who have it', async (t) => {
  const token = randomBytes(32).toString('hex')
  const node = await startKeycard(t, { env: { METRICS_TOKEN: token } })
  t.equal(verdict(await node.get('/metrics')), 'MISSING_TOKEN')
  const wrong = await node.get('/metrics', { token: `${token}0` })
  t.equal(verdict(wrong), 'INVALID_TOKEN')
  t.match(wrong.headers.get('www-authenticate'), 'invalid_token')
  const right = await node.get('/metrics', { token })
  t.equal(right.status, 200)
  t.notMatch(right.text, token)
})

t.test('the canary shows a revoked token to every node', async (t) => {
  const [node, other] = await startNodes(t, 2)
  const targets = [node.url, other?.url].join(',')
  const watcher = await startKeycard(t, {
    databaseUrl: node.databaseUrl,
    secrets: { jwt: node.jwtSecret, refresh: randomBytes(48).toString('hex') },
    env: { CANARY_TARGETS: targets, CANARY_INTERVAL: '1s', JWT_ISSUER: 'https://keycard.test' }
  })
  const rounds = 'keycard_canary_rounds_total{result="ok"}'
  await eventually('it has flown', async () => (await read(watcher, rounds)) >= 2)
  t.equal(await read(watcher, 'keycard_revoked_token_accepted_total'), 0)

  await other?.app.close()
  const incomplete = 'keycard_canary_rounds_total{result="incomplete"}'
  await eventually('it says so', async () => (await read(watcher, incomplete)) >= 1)
  t.equal(await read(watcher, 'keycard_revoked_token_accepted_total'), 0)
})

/** Says yes to everybody, as a node would that hears of no revocation. */
async function startLiar(t: Test): Promise<string> {
  const liar = createServer((_request, response) => response.end('{}'))
  liar.listen(0, '127.0.0.1')
  await once(liar, 'listening')
  t.teardown(() => liar.close())
  return `http://127.0.0.1:${(liar.address() as AddressInfo).port}`
}

t.test('the canary finds a node that lies', async (t) => {
  const liar = await startLiar(t)
  const watcher = await startKeycard(t, {
    env: { CANARY_TARGETS: liar, CANARY_INTERVAL: '1s' }
  })
  await eventually(
    'it is found',
    async () => (await read(watcher, 'keycard_revoked_token_accepted_total')) >= 1
  )
  t.ok(watcher.log.some((line) => line.includes('canary.accepted')))
})
