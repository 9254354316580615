import { sql } from 'drizzle-orm'
import t, { type Test } from 'tap'
import type { Answer, Client } from '../support/client.js'
import { newSecrets, startKeycard } from '../support/keycard.js'
import { createManualClock } from '../support/manual-clock.js'
import { createTestDatabase } from '../support/postgres.js'
import { startRedis } from '../support/redis.js'
import { logIn, me, refresh, tokensOf } from '../support/session-calls.js'
import { startTcpProxy } from '../support/tcp-proxy.js'

const email = 'canary-address@example.com'
const name = 'Canary Name'
const password = 'canary-password-first'
const newPassword = 'canary-password-second'
const wrongPassword = 'canary-password-wrong'
const redisPassword = 'canary-redis-password'
const userAgent = 'canary-agent'
const ada = { email, password }
const eve = { email: 'CANARY-address@Example.com', password: wrongPassword }

/** Statements and their pieces, as drizzle and Postgres write them. */
const sqlText = /\bselect\b.*\bfrom\b|\binsert into\b|\bupdate "|\bdelete from\b|\bwhere\b|\$1/i

/** A client that keeps the answers, and whose requests bring secrets in every place. */
function keepAnswers(client: Client): { client: Client; answers: Answer[] } {
  const answers: Answer[] = []
  const send: Client['send'] = async (method, path, ask = {}) => {
    const headers = { 'user-agent': userAgent, ...ask.headers }
    const answer = await client.send(method, path, { ...ask, headers })
    answers.push(answer)
    return answer
  }
  const verb =
    (method: string): Client['get'] =>
    (path, ask) =>
      send(method, path, ask)
  return {
    answers,
    client: {
      url: client.url,
      send,
      get: verb('GET'),
      post: verb('POST'),
      patch: verb('PATCH'),
      delete: verb('DELETE')
    }
  }
}

async function startWatched(t: Test) {
  const { clock, advanceSeconds } = createManualClock()
  const redis = await startRedis(t, { args: ['--requirepass', redisPassword] })
  const url = new URL(await createTestDatabase(t))
  const proxy = await startTcpProxy(t, Number(url.port))
  url.port = String(proxy.port)
  const secrets = newSecrets()
  const keycard = await startKeycard(t, {
    clock,
    secrets,
    databaseUrl: url.href,
    redisUrl: `redis://:${redisPassword}@127.0.0.1:${redis.port}`,
    env: { LOG_LEVEL: 'trace', RATE_LIMIT: 'on' }
  })
  return { keycard, secrets, redis, proxy, url, advanceSeconds, ...keepAnswers(keycard) }
}

/** What goes well, and what callers get wrong. */
async function live({ client, advanceSeconds }: Awaited<ReturnType<typeof startWatched>>) {
  await client.post('/api/auth/register', { body: { ...ada, name } })
  await client.post('/api/auth/register', { body: { ...ada, name } })
  await client.post('/api/auth/register', { body: { email, password: email, name } })
  const stolen = tokensOf(await logIn(client, ada))
  const mine = tokensOf(await logIn(client, ada))
  await logIn(client, eve)
  await client.post('/api/auth/login', { body: { ...ada, role: 'admin', name: [password] } })
  await client.post('/api/auth/login', { body: `{"email":"${email}","password":${password}}` })
  await client.post('/api/auth/login', {
    body: `{"email":"${email}","password":"${password}\\u0000"}`
  })
  await client.post('/api/auth/login', { body: ada, headers: { 'content-type': 'text/plain' } })
  await client.get(`/api/auth/me?access_token=${mine.accessToken}&email=${email}`)
  await client.get(`/nothing?token=${mine.refreshToken}`)
  await client.get(`/%zz?token=${mine.refreshToken}`)
  await me(client, `${mine.accessToken.slice(0, -2)}AA`)
  await me(client, mine.refreshToken)
  await refresh(client, mine.accessToken)
  const renewed = tokensOf(await refresh(client, stolen.refreshToken))
  await client.post('/api/auth/refresh', {
    headers: { cookie: `keycard_refresh=${renewed.refreshToken}`, origin: `https://${name}` }
  })
  advanceSeconds(11)
  await refresh(client, renewed.refreshToken)
  await refresh(client, stolen.refreshToken)
  const token = mine.accessToken
  await client.patch('/api/auth/me', { token, body: { name: `${name} II` } })
  await client.post('/api/auth/password', {
    token,
    body: { currentPassword: wrongPassword, newPassword }
  })
  await client.post('/api/auth/password', {
    token,
    body: { currentPassword: password, newPassword }
  })
  const next = tokensOf(await refresh(client, mine.refreshToken))
  await client.post('/api/auth/logout', { body: { refreshToken: next.refreshToken } })
}

/** What goes wrong around it: Redis away, a statement that fails, Postgres away. */
async function suffer(world: Awaited<ReturnType<typeof startWatched>>) {
  const { client, keycard, redis, proxy } = world
  const changed = { email, password: newPassword }
  await redis.kill()
  const last = tokensOf(await logIn(client, changed))
  await me(client, last.accessToken)
  const rename = (from: string, to: string) =>
    keycard.app.database.write((db) => db.execute(sql.raw(`alter table ${from} rename to ${to}`)))
  await rename('sessions', 'lost')
  await logIn(client, changed)
  await refresh(client, last.refreshToken)
  await rename('lost', 'sessions')
  proxy.retarget(1)
  proxy.cut()
  await logIn(client, changed)
  await refresh(client, last.refreshToken)
  await client.post('/api/auth/logout-all', { token: last.accessToken })
}

t.test('no secret is in the log or in an error, whatever happens', async (t) => {
  const world = await startWatched(t)
  const { keycard, answers, secrets, url } = world
  await live(world)
  const { rows } = await hashesOf(world)
  await suffer(world)

  const statuses = new Set(answers.map(({ status }) => status))
  t.same([...statuses].sort(), [200, 201, 204, 400, 401, 403, 404, 409, 415, 422, 500, 503])
  t.ok(keycard.log.length > answers.length, `${keycard.log.length} lines`)

  const handedOut = answers.flatMap(({ body, cookies }) => [
    ...(body.accessToken?.split('.').slice(1) ?? []),
    ...(body.refreshToken === undefined ? [] : [body.refreshToken]),
    ...cookies.map((cookie) => cookie.split(';')[0] ?? '')
  ])
  const canaries = [
    ...handedOut,
    ...rows,
    secrets.jwt,
    secrets.refresh,
    url.password,
    url.host,
    'canary',
    '$argon2',
    'keycard_refresh'
  ]
  t.ok(canaries.every((canary) => canary.length > 4))
  const errors = answers.filter(({ status }) => status >= 400).map(({ text }) => text)
  for (const text of [...keycard.log, ...errors]) {
    const found = canaries.filter((canary) => text.toLowerCase().includes(canary.toLowerCase()))
    if (found.length > 0 || sqlText.test(text)) t.fail(`${found.join()} in ${text}`)
  }
})

async function hashesOf({ keycard }: Awaited<ReturnType<typeof startWatched>>) {
  const found = await keycard.app.database.read((db) =>
    db.execute<{ password_hash: string }>(sql`select password_hash from users`)
  )
  return { rows: [...found].map((row) => row.password_hash) }
}
