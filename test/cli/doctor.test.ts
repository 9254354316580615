import { randomBytes } from 'node:crypto'
import { chmod, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { type SQL, sql } from 'drizzle-orm'
import t, { type Test } from 'tap'
import { uuidv7 } from 'uuidv7'
import { systemClock } from '../../src/clock.js'
import { recordAudit } from '../../src/audit/events.js'
import { coverTooMany } from '../../src/cli/doctor/address-ranges.js'
import { diagnose } from '../../src/cli/doctor/diagnosis.js'
import { guessBits } from '../../src/cli/doctor/guessability.js'
import { connectDatabase } from '../../src/database/connection.js'
import { nodes, revocations, users } from '../../src/database/schema.js'
import { createCli } from '../support/cli.js'
import { eventually } from '../support/eventually.js'
import { newEntry } from '../support/key-rings.js'
import { nobody } from '../support/origin.js'
import { createTestDatabase, startPostgres } from '../support/postgres.js'
import { startRedis } from '../support/redis.js'
import { startCluster } from '../support/redis-cluster.js'
import { startSentinel } from '../support/redis-sentinel.js'
import { temporaryFolder } from '../support/temporary-folder.js'

t.setTimeout(300_000)

const secret = () => randomBytes(48).toString('base64url')
const shared = secret()
const durable = { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' }
const forgetful = ['--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru']
const persistent = ['--appendonly', 'yes']

/** All that production asks for and more, but for the servers. */
const wellSet = {
  NODE_ENV: 'production',
  PUBLIC_URL: 'https://auth.example.org',
  TRUST_PROXY: '10.0.0.0/8',
  JWT_SECRET: secret(),
  REFRESH_SECRET: secret(),
  METRICS_TOKEN: secret(),
  PASSWORD_MIN_LENGTH: '15',
  UV_THREADPOOL_SIZE: String(availableParallelism() + 2)
}

/** Node 24, in the middle of its support window. */
const today = { nodeVersion: '24.1.0', clock: systemClock }
const cwd = '/'

/** Whoever tests on a Node that is too old would be told so. */
const versions = "{value: {...process.versions, node: '24.1.0'}}"
const pretence = `Object.defineProperty(process, 'versions', ${versions})`
const onSupportedNode = {
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(pretence)}`
}

/** An event for the audit. */
const drill = {
  action: 'user.revoked',
  outcome: 'success',
  origin: nobody,
  subject: null,
  userId: null,
  reason: 'a drill'
} as const

/** What is found, as `check severity`, in a deployment with these differences. */
async function found(
  env: NodeJS.ProcessEnv,
  more: Partial<Parameters<typeof diagnose>[0]> = {}
): Promise<string[]> {
  const { findings } = await diagnose({ env: { ...wellSet, ...env }, cwd, ...today, ...more })
  for (const { found, advice } of findings) assertSentences(found, advice)
  return findings.map(({ check, severity }) => `${check} ${severity}`).sort()
}

function assertSentences(...texts: string[]): void {
  for (const text of texts) {
    if (!/^\S.*\.$/s.test(text)) throw new Error(`No sentence: ${text}`)
    for (const [name, value] of Object.entries(wellSet)) {
      if (/SECRET|TOKEN/.test(name) && text.includes(value)) throw new Error(`It quotes ${name}`)
    }
  }
}

async function goodServers(t: Test): Promise<{ DATABASE_URL: string; REDIS_URL: string }> {
  const [postgres, redis] = await Promise.all([
    startPostgres(t, { settings: durable }),
    startRedis(t, { args: persistent })
  ])
  return { DATABASE_URL: postgres.url, REDIS_URL: redis.url }
}

t.test('a good deployment', async (t) => {
  const servers = await goodServers(t)
  t.same(await found(servers), [], 'nothing is found')

  const cli = await createCli(t, { ...wellSet, ...servers, ...onSupportedNode })
  t.match(await cli.run(['doctor']), { code: 0, stdout: /^$/, stderr: /^$/ }, 'it is silent')
  const { screen } = await cli.type(['doctor'], [])
  t.match(screen, /^All is well\. This machine makes \d+(\.\d)? password hashes per second\.\s+$/)
  t.match((await cli.run(['doctor', '--json'])).json, { ok: true, hashesPerSecond: Number })

  await t.test('each fault of its servers is named', async (t) => {
    const database = connectDatabase(servers.DATABASE_URL)
    t.teardown(() => database.close())
    const ago = (age: string) => sql`now() - ${age}::interval`
    const addNode = (
      silence: string,
      more: { mode?: 'replica' | 'database'; leaseMs?: number; startedAt?: SQL }
    ) => {
      const row = { id: uuidv7(), mode: 'replica', startedAt: sql`now()`, ...more } as const
      return database.write((db) => db.insert(nodes).values({ ...row, heartbeatAt: ago(silence) }))
    }
    await addNode('5 minutes', {})
    await addNode('1 second', { leaseMs: 700 })
    await addNode('1 second', { mode: 'database' })
    await addNode('1 second', { startedAt: ago('5 seconds') })
    await database.write((db) =>
      db.insert(revocations).values({
        id: uuidv7(),
        kind: 'token',
        target: uuidv7(),
        reason: 'test',
        createdAt: ago('10 seconds'),
        liveUntil: sql`now() + interval '1 hour'`
      })
    )
    const now = new Date()
    await database.write((db) =>
      db.insert(users).values({
        id: uuidv7(),
        email: 'admin@example.com',
        name: 'Admin',
        passwordHash: 'x',
        roles: ['admin'],
        createdAt: now,
        updatedAt: now
      })
    )
    await database.transaction((tx) => recordAudit(tx, drill, new Date(Date.now() - 700_000)))
    const env = {
      ...servers,
      BOOTSTRAP_ADMIN_EMAIL: 'admin@example.com',
      BOOTSTRAP_ADMIN_PASSWORD: 'purple-otter-42-lamp'
    }
    t.same(await found(env), [
      'BOOTSTRAP_ADMIN_PASSWORD warning',
      'LEASE_MS warning',
      'audit-seal error',
      'node-clocks warning',
      'node-modes warning',
      'silent-nodes warning',
      'unpublished error'
    ])
    await addNode('1 second', { startedAt: ago('40 seconds') })
    t.ok((await found(servers)).includes('node-clocks error'))
    const ahead = () => Date.now() + 31_000
    t.same(
      (await found(servers, { clock: ahead })).filter((name) => name.startsWith('clock')),
      ['clock error', 'clock error'],
      'the clocks of Postgres and of Redis'
    )
    const behind = () => Date.now() - 5_000
    t.ok((await found(servers, { clock: behind })).includes('clock warning'))
  })
})

t.test('servers that lose or drop what they should keep', async (t) => {
  const [postgres, redis] = await Promise.all([
    startPostgres(t, {
      settings: {
        fsync: 'off',
        full_page_writes: 'off',
        synchronous_commit: 'off',
        max_connections: '20'
      }
    }),
    startRedis(t, { args: [...forgetful, '--enable-protected-configs', 'yes'] })
  ])
  const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url }
  t.same(await found(env), [
    'fsync error',
    'full_page_writes error',
    'max_connections error',
    'maxmemory-policy error',
    'redis-persistence warning',
    'synchronous_commit error'
  ])
  await redis.cli('CONFIG', 'SET', 'maxmemory', '0')
  t.ok((await found(env)).includes('maxmemory-policy warning'))
  const lastSave = async () => {
    await redis.cli('BGSAVE')
    return String(await redis.cli('INFO', 'persistence'))
  }
  await redis.cli('CONFIG', 'SET', 'save', '3600 1')
  await redis.cli('CONFIG', 'SET', 'dbfilename', 'x'.repeat(300))
  await eventually('a save fails', async () => (await lastSave()).includes('bgsave_status:err'))
  t.ok((await found(env)).includes('redis-persistence error'))
  await Promise.all([redis.kill(), postgres.kill()])
  t.same(await found(env), ['postgres error', 'redis error'], 'or are away')
})

t.test('a Redis that can fail over', async (t) => {
  const [DATABASE_URL, { url, primary, replica }] = await Promise.all([
    createTestDatabase(t),
    startSentinel(t)
  ])
  const known = ['fsync error', 'redis-persistence warning']
  const ofRedis = async (env: NodeJS.ProcessEnv) => {
    const names = await found({ DATABASE_URL, REDIS_URL: url, ...env })
    return names.filter((name) => !known.includes(name))
  }
  t.same(await ofRedis({}), [])
  t.same(await ofRedis({ FAILOVER_FENCE: '3s' }), ['FAILOVER_FENCE warning'])
  t.same(await ofRedis({ REDIS_URL: (await replica()).url }), ['REDIS_URL error'])
  await (await primary()).cli('CONFIG', 'SET', 'min-replicas-to-write', 0)
  t.same(await ofRedis({ FAILOVER_FENCE: '0s' }), [
    'FAILOVER_FENCE error',
    'min-replicas-to-write error'
  ])
})

t.test('a Cluster is looked at server by server', async (t) => {
  const [DATABASE_URL, cluster] = await Promise.all([createTestDatabase(t), startCluster(t)])
  const env = { DATABASE_URL, REDIS_URL: cluster.url }
  const known = ['fsync error', 'min-replicas-to-write error', 'redis-persistence warning']
  t.same(await found(env), known)
  const one = await cluster.masterOf('any')
  await one.cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
  t.same(await found(env), [...known, 'maxmemory-policy warning'].sort())
})

t.test('migrations that are missing', async (t) => {
  const env = { DATABASE_URL: await createTestDatabase(t, { empty: true }) }
  t.same(await found(env), ['fsync error', 'migrations error'])
})

t.test('settings', async (t) => {
  const DATABASE_URL = await createTestDatabase(t)
  // The server that the tests share runs without.
  const withoutFsync = (names: string[]) => names.filter((name) => name !== 'fsync error')
  const settings = async (env: NodeJS.ProcessEnv, more = {}) =>
    withoutFsync(await found({ DATABASE_URL, ...env }, more))

  t.same(await settings({}), [])
  t.same(
    await settings({
      ACCESS_TOKEN_TTL: '1h',
      SESSION_IDLE_TTL: '90d',
      SESSION_MAX_TTL: '365d',
      REFRESH_GRACE: '1m',
      TRUST_PROXY: '',
      ALLOWED_ORIGINS: 'http://app.example.org',
      METRICS_TOKEN: '',
      PASSWORD_MIN_LENGTH: '8',
      LOG_LEVEL: 'silent',
      RATE_LIMIT_LOGIN_PER_ACCOUNT: '1000000/1m',
      JWT_SECRET: 'abcdefgh'.repeat(8)
    }),
    [
      'ACCESS_TOKEN_TTL warning',
      'ALLOWED_ORIGINS error',
      'JWT_SECRET error',
      'LOG_LEVEL error',
      'METRICS_TOKEN warning',
      'PASSWORD_MIN_LENGTH warning',
      'RATE_LIMIT_LOGIN_PER_ACCOUNT error',
      'REFRESH_GRACE warning',
      'SESSION_IDLE_TTL warning',
      'SESSION_MAX_TTL warning',
      'TRUST_PROXY error'
    ]
  )
  t.same(
    await settings({
      TRUST_PROXY: '0.0.0.0/1,128.0.0.0/1',
      LOG_LEVEL: 'debug',
      METRICS_TOKEN: shared,
      REFRESH_SECRET: shared,
      ARGON2_MEMORY_KIB: '262144',
      ARGON2_TIME: '10',
      UV_THREADPOOL_SIZE: availableParallelism() > 1 ? '3' : '4'
    }),
    [
      'LOG_LEVEL warning',
      'TRUST_PROXY error',
      ...(availableParallelism() > 1 ? ['UV_THREADPOOL_SIZE warning'] : []),
      'hash-speed warning',
      'secrets error'
    ]
  )
  t.same(
    await settings({
      JWT_SECRET: shared,
      REFRESH_SECRET: `${shared}-refresh`,
      METRICS_TOKEN: 'MyS3cretP@ssw0rdForProductionUse2024!!'
    }),
    ['METRICS_TOKEN error', 'secrets error']
  )
  const passwords = {
    DATABASE_URL: 'postgres://keycard@127.0.0.1:1/x',
    REDIS_URL: `redis://:${encodeURIComponent(wellSet.REFRESH_SECRET)}@127.0.0.1:1`
  }
  t.ok((await found(passwords)).includes('secrets error'))
  const elsewhere = {
    DATABASE_URL: 'postgres://keycard@0.0.0.0:1/x',
    REDIS_URL: 'redis://0.0.0.0:1'
  }
  t.same(await found(elsewhere), [
    'postgres error',
    'postgres-password error',
    'postgres-tls warning',
    'redis error',
    'redis-password error',
    'redis-tls warning'
  ])
  t.same(
    await found({
      DATABASE_URL: 'postgres://keycard:x@0.0.0.0:1/x?sslmode=require',
      REDIS_URL: 'rediss://:y@0.0.0.0:1'
    }),
    ['postgres error', 'redis error']
  )
  const development = await settings({
    NODE_ENV: 'development',
    PUBLIC_URL: '',
    RATE_LIMIT: 'off',
    ARGON2_MEMORY_KIB: '1024',
    JWT_SECRET: wellSet.JWT_SECRET
  })
  t.same(development, ['ARGON2 error', 'NODE_ENV error', 'PUBLIC_URL error', 'RATE_LIMIT error'])

  for (const [nodeVersion, isFine] of [
    ['20.20.2', false],
    ['22.9.0', true],
    ['23.1.0', false],
    ['24.1.0', true]
  ] as const) {
    const names = await settings({}, { nodeVersion, clock: () => Date.parse('2026-06-01') })
    t.equal(!names.includes('node warning'), isFine, nodeVersion)
  }
  const nearly = { nodeVersion: '22.9.0', clock: () => Date.parse('2027-04-01') }
  t.ok((await settings({}, nearly)).includes('node warning'), 'in good time')
})

t.test('the key ring', async (t) => {
  const DATABASE_URL = await createTestDatabase(t)
  const file = join(await temporaryFolder(t), 'keys.json')
  const withFile = { DATABASE_URL, JWT_SECRET: '', JWT_ALGORITHM: 'RS256', JWT_KEYS_FILE: file }
  await writeFile(file, JSON.stringify([newEntry('weak', 'RS256')]))
  await chmod(file, 0o644)
  t.same(await found(withFile), ['JWT_KEYS_FILE error', 'fsync error', 'keys warning'])
  await chmod(file, 0o600)
  const symmetric = { ...withFile, JWT_ALGORITHM: 'HS256' }
  for (const key of ['MyS3cretP@ssw0rdForProductionUse2024!!', wellSet.METRICS_TOKEN]) {
    const entry = { kid: 'k', alg: 'HS256', status: 'active', key }
    await writeFile(file, JSON.stringify([entry]))
    t.same(await found(symmetric), ['fsync error', 'secrets error'])
  }
  await writeFile(file, '[]')
  t.same(await found(withFile), ['fsync error', 'keys error'])
})

t.test('a configuration that is refused', async (t) => {
  const cli = await createCli(t, { NODE_ENV: 'production', RATE_LIMIT: 'off', KEYCARD_TYPO: '1' })
  const { code, json, stdout } = await cli.run(['doctor', '--json'])
  t.equal(code, 1, 'is found, and no crash')
  const names = json.findings?.map(({ check }) => check)
  t.same(names?.sort(), [
    'DATABASE_URL',
    'JWT_SECRET',
    'KEYCARD_TYPO',
    'PUBLIC_URL',
    'RATE_LIMIT',
    'REFRESH_SECRET'
  ])
  t.match(JSON.parse(stdout), { ok: false, hashesPerSecond: null })
  const lax = { ...wellSet, DATABASE_URL: 'postgres://127.0.0.1:1/x', PASSWORD_MIN_LENGTH: '8' }
  t.match(await cli.run(['doctor'], { env: { ...lax, RATE_LIMIT: '', KEYCARD_TYPO: '' } }), {
    code: 1,
    stdout: /error {4}postgres\n.*check that it runs.*warning {2}PASSWORD_MIN_LENGTH/s
  })
})

t.test('secrets are told from what people think up', (t) => {
  for (const thoughtUp of [
    'dragonmonkeysunshineprincessfootball',
    'correct-horse-battery-staple-correct-horse',
    'qwertyuiopasdfghjklzxcvbnm1234567890',
    'abcdefghijklmnopqrstuvwxyz0123456789',
    'the quick brown fox jumps over the lazy dog'
  ]) {
    t.ok(guessBits(thoughtUp) < 128, thoughtUp)
  }
  for (const encoding of ['hex', 'base64', 'base64url'] as const) {
    const bits = Array.from({ length: 50 }, () => guessBits(randomBytes(32).toString(encoding)))
    t.ok(Math.min(...bits) > 200, `32 random bytes as ${encoding}`)
  }
  t.end()
})

t.test('ranges of proxies that hold everybody are told from those of proxies', (t) => {
  const halves = ['60.0.0.0/9', '60.128.0.0/9']
  for (const wide of [['::/1', '8000::/1'], ['64.0.0.0/7'], ['::ffff:0:0/97'], halves]) {
    t.ok(coverTooMany(wide), wide.join(', '))
  }
  const narrow = [
    '10.0.0.0/8',
    'fc00::/7',
    '::ffff:10.0.0.0/104',
    '104.16.0.0/13',
    '2400:cb00::/32'
  ]
  t.notOk(coverTooMany([...narrow, ...narrow, '203.0.113.4', '127.0.0.1', '::1']))
  t.end()
})
