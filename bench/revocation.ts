/**
 * How fast a revocation is answered: four nodes, Redis, Postgres and whoever asks on one machine. Idle, under load,
 * with a node frozen, and of everyone with ten sessions and with a million. Then what a million live revocations
 * mean for the start of a node and for its memory.
 *
 *   npm run bench:revocation
 */
import { fork } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import postgres from 'postgres'
import { buildService } from '../test/chaos/build.js'
import { type ChaosNode, startNode } from '../test/chaos/node-process.js'
import type { Client } from '../test/support/client.js'
import { newSecrets } from '../test/support/keycard.js'
import { createLifetime } from '../test/support/lifetime.js'
import { startPostgres } from '../test/support/postgres.js'
import { startRedis } from '../test/support/redis.js'
import type { Round } from './open-loop-driver.js'

const nodeCount = 4
const idleLogouts = 400
const loadedLogouts = 200
const loadPerNode = 250
const million = 1_000_000
const admin = { email: 'root@example.com', password: 'violet harbour 17 kite' }

const lifetime = createLifetime()
const secrets = newSecrets()
const [build, server, redis] = await Promise.all([
  buildService(lifetime),
  startPostgres(lifetime),
  startRedis(lifetime)
])
const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
lifetime.teardown(() => sql.end())

async function startOne(): Promise<ChaosNode> {
  return await startNode(lifetime, {
    build,
    env: {
      DATABASE_URL: server.url,
      REDIS_URL: redis.url,
      JWT_SECRET: secrets.jwt,
      REFRESH_SECRET: secrets.refresh,
      JWT_ISSUER: 'https://bench.example',
      RATE_LIMIT: 'off',
      ARGON2_MEMORY_KIB: '8',
      ARGON2_TIME: '1',
      LOG_LEVEL: 'warn',
      BOOTSTRAP_ADMIN_EMAIL: admin.email,
      BOOTSTRAP_ADMIN_PASSWORD: admin.password
    }
  })
}

async function register({ post }: Client): Promise<string> {
  const body = { email: `${randomUUID()}@example.com`, password: admin.password, name: 'Ada' }
  const { body: answer, status } = await post('/api/auth/register', { body })
  if (answer.accessToken === undefined) throw new Error(`Nobody could register: ${status}`)
  return answer.accessToken
}

/** How long these calls take, each started when the one before was answered. */
async function time(calls: readonly (() => Promise<{ status: number }>)[]): Promise<number[]> {
  const times: number[] = []
  for (const call of calls) {
    const start = performance.now()
    const { status } = await call()
    times.push(performance.now() - start)
    if (status >= 300) throw new Error(`A revocation was answered ${status}`)
  }
  return times
}

function percentile(times: readonly number[], share: number): number {
  const sorted = times.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
}

function report(what: string, times: readonly number[]): void {
  const [p50, p99, most] = [0.5, 0.99, 1].map((share) => percentile(times, share).toFixed(1))
  process.stdout.write(`${what.padEnd(48)} p50 ${p50} ms, p99 ${p99} ms, most ${most} ms\n`)
}

/** Sends requests to a guarded route of every node until it is told to stop. */
async function load(nodes: readonly ChaosNode[], token: string): Promise<() => Promise<void>> {
  const drivers = nodes.map(({ client }) => {
    const driver = fork(new URL('open-loop-driver.ts', import.meta.url))
    const url = `${client.url}/api/auth/sessions`
    const round: Round = { url, tokens: [token], perSecond: loadPerNode, seconds: 3_600 }
    driver.send(round)
    return driver
  })
  await pause(2_000)
  return async () => {
    for (const driver of drivers) driver.kill()
    await Promise.all(drivers.map((driver) => once(driver, 'exit')))
  }
}

async function logouts(nodes: readonly ChaosNode[], count: number): Promise<number[]> {
  const tokens: string[] = []
  const [first] = nodes
  if (first === undefined) throw new RangeError('There is no node')
  for (let done = 0; done < count; done++) tokens.push(await register(first.client))
  return await time(
    tokens.map((token, index) => async () => {
      const { client } = nodes[index % nodes.length] ?? first
      return await client.post('/api/auth/logout', { token })
    })
  )
}

async function revokeEveryone({ client }: ChaosNode, times: number): Promise<number[]> {
  const all: number[] = []
  for (let done = 0; done < times; done++) {
    const { body } = await client.post('/api/auth/login', { body: admin })
    const token = body.accessToken
    const ask = {
      ...(token !== undefined && { token }),
      body: { target: { kind: 'everyone', confirm: 'everyone' }, reason: 'bench' }
    }
    all.push(...(await time([async () => await client.post('/api/admin/revocations', ask)])))
  }
  return all
}

async function addSessions(count: number): Promise<void> {
  await sql`
    insert into sessions (id, user_id, version, generation, salt, created_at, last_used_at, expires_at, ip)
    select gen_random_uuid(), (select id from users limit 1), 1, 1, ${randomBytes(16)}, now(), now(),
      now() + interval '1 hour', '127.0.0.1'
    from generate_series(1, ${count})`
}

async function addRevocations(count: number): Promise<void> {
  await sql`
    insert into revocations (id, kind, target, reason, created_at, live_until, published_at)
    select gen_random_uuid(), 'session', gen_random_uuid(), 'bench', now(), now() + interval '15 minutes', now()
    from generate_series(1, ${count})`
}

async function metric({ client }: ChaosNode, name: string): Promise<number> {
  const { text } = await client.get('/metrics')
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `))
  return Number(line?.slice(name.length))
}

/** How long a node takes from its start until it decides from memory. */
async function startFollowing(): Promise<{ node: ChaosNode; tookMs: number }> {
  const start = performance.now()
  const node = await startOne()
  while ((await metric(node, 'keycard_lease_left_seconds')) <= 0) await pause(10)
  return { node, tookMs: performance.now() - start }
}

try {
  const nodes = await Promise.all(Array.from({ length: nodeCount }, startOne))
  const [first, , , last] = nodes
  if (first === undefined || last === undefined) throw new RangeError('There are four nodes')
  await logouts(nodes, 100)
  report(`logout, idle, ${nodeCount} nodes`, await logouts(nodes, idleLogouts))

  const stop = await load(nodes, await register(first.client))
  report(`logout, ${nodeCount * loadPerNode} requests/s`, await logouts(nodes, loadedLogouts))
  await stop()

  const frozen: number[] = []
  for (let round = 0; round < 10; round++) {
    const others = nodes.filter((node) => node !== last)
    const token = await register(first.client)
    last.freeze()
    const node = others[round % others.length] ?? first
    frozen.push(
      ...(await time([async () => await node.client.post('/api/auth/logout', { token })]))
    )
    last.thaw()
    await pause(1_500)
  }
  report('logout, the first after a node froze', frozen)

  await addSessions(10)
  report('everyone, 10 sessions', await revokeEveryone(first, 30))
  await addSessions(million)
  report('everyone, 1,000,000 sessions', await revokeEveryone(first, 30))

  for (const node of nodes) await node.kill()
  const empty = await startFollowing()
  const emptyBytes = await metric(empty.node, 'process_resident_memory_bytes')
  await empty.node.kill()
  await addRevocations(million)
  const full = await startFollowing()
  const fullBytes = await metric(full.node, 'process_resident_memory_bytes')
  process.stdout.write(
    `a node starts with 1,000,000 live revocations in ${full.tookMs.toFixed(0)} ms, ` +
      `with none in ${empty.tookMs.toFixed(0)} ms; ` +
      `it has ${((fullBytes - emptyBytes) / 1e6).toFixed(0)} MB more\n`
  )
  process.stdout.write(`it holds ${await metric(full.node, 'keycard_live_revocations')}\n`)
} finally {
  await lifetime.end()
}
