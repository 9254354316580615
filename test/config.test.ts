import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'dotenv'
import t from 'tap'
import { configVariables, loadConfig, readEnvironment } from '../src/config.js'
import { configErrorOf, production } from './support/config.js'

t.test('with nothing set everything has its default', async (t) => {
  t.strictSame(loadConfig({}), {
    environment: 'development',
    databaseUrl: undefined,
    redis: undefined,
    host: '127.0.0.1',
    port: 3000,
    publicUrl: 'http://127.0.0.1:3000',
    dataDir: resolve('.keycard'),
    jwt: {
      algorithm: 'HS256',
      secret: undefined,
      keysFile: undefined,
      issuer: 'http://127.0.0.1:3000',
      audience: 'keycard',
      accessTokenTtlSeconds: 900
    },
    refresh: { secret: undefined, graceMs: 10_000 },
    session: { idleTtlSeconds: 604_800, maxTtlSeconds: 2_592_000 },
    revocation: { mode: 'replica', deadlineMs: 2000, leaseMs: 500, failoverFenceMs: 0 },
    passwords: {
      minLength: 8,
      argon2: { memoryKib: 19_456, time: 2, parallelism: 1 },
      queueLimit: 64
    },
    trustProxy: [],
    allowedOrigins: [],
    rateLimits: {
      requestsPerIp: { max: 6000, windowMs: 60_000 },
      loginPerIp: { max: 30, windowMs: 60_000 },
      loginPerAccount: { max: 10, windowMs: 60_000 },
      registerPerIp: { max: 10, windowMs: 60_000 },
      refreshPerIp: { max: 120, windowMs: 60_000 },
      refreshPerSession: { max: 60, windowMs: 60_000 },
      clientFailuresPerIp: { max: 30, windowMs: 60_000 },
      passwordPerAccount: { max: 5, windowMs: 60_000 },
      passwordsGlobal: { max: 1200, windowMs: 60_000 }
    },
    registration: 'open',
    metricsToken: undefined,
    audit: { retentionMs: 34_560_000_000, sealIntervalMs: 5000 },
    canary: undefined,
    logLevel: 'info',
    shutdownDelayMs: 0,
    threadPoolSize: 4,
    bootstrapAdmin: undefined
  })
})

t.test('every variable arrives where it belongs', async (t) => {
  const metricsToken = randomBytes(48).toString('base64url')
  const config = loadConfig({
    ...production,
    REDIS_URL: 'rediss://:pw@cache:6380/1',
    HOST: '::',
    PORT: '8080',
    KEYCARD_DATA_DIR: '/var/lib/keycard',
    LOG_LEVEL: 'warn',
    SHUTDOWN_DELAY: '500ms',
    UV_THREADPOOL_SIZE: '16',
    JWT_ISSUER: 'https://issuer.example.org',
    JWT_AUDIENCE: 'api',
    ACCESS_TOKEN_TTL: '1m',
    REFRESH_GRACE: '0s',
    SESSION_IDLE_TTL: '1h',
    SESSION_MAX_TTL: '1h',
    REVOCATION_MODE: 'database',
    LEASE_MS: '250',
    FAILOVER_FENCE: '3s',
    REVOCATION_DEADLINE: '1500ms',
    PASSWORD_MIN_LENGTH: '15',
    ARGON2_MEMORY_KIB: '47104',
    ARGON2_TIME: '1',
    ARGON2_PARALLELISM: '4',
    HASH_QUEUE_LIMIT: '8',
    TRUST_PROXY: '10.0.0.0/8, ::1',
    ALLOWED_ORIGINS: 'https://app.example.org,http://localhost:5173',
    REGISTRATION: 'closed',
    METRICS_TOKEN: metricsToken,
    AUDIT_RETENTION: '730d',
    AUDIT_SEAL_INTERVAL: '1m',
    CANARY_TARGETS: 'http://api-1:3000,http://api-2:3000',
    CANARY_INTERVAL: '30s',
    BOOTSTRAP_ADMIN_EMAIL: 'root@example.org',
    BOOTSTRAP_ADMIN_PASSWORD: 'a password of the operator',
    RATE_LIMIT: 'on',
    RATE_LIMIT_LOGIN_PER_IP: '5/30s'
  })
  t.match(config, {
    environment: 'production',
    databaseUrl: production.DATABASE_URL,
    redis: { kind: 'single', url: 'rediss://:pw@cache:6380/1' },
    host: '::',
    port: 8080,
    publicUrl: 'https://auth.example.org',
    dataDir: '/var/lib/keycard',
    jwt: {
      secret: production.JWT_SECRET,
      issuer: 'https://issuer.example.org',
      audience: 'api',
      accessTokenTtlSeconds: 60
    },
    refresh: { secret: production.REFRESH_SECRET, graceMs: 0 },
    session: { idleTtlSeconds: 3600, maxTtlSeconds: 3600 },
    revocation: { mode: 'database', deadlineMs: 1500, leaseMs: 250, failoverFenceMs: 3000 },
    passwords: {
      minLength: 15,
      argon2: { memoryKib: 47_104, time: 1, parallelism: 4 },
      queueLimit: 8
    },
    rateLimits: { loginPerIp: { max: 5, windowMs: 30_000 } },
    registration: 'closed',
    metricsToken,
    audit: { retentionMs: 63_072_000_000, sealIntervalMs: 60_000 },
    canary: { targets: ['http://api-1:3000', 'http://api-2:3000'], intervalMs: 30_000 },
    logLevel: 'warn',
    shutdownDelayMs: 500,
    threadPoolSize: 16,
    bootstrapAdmin: { email: 'root@example.org', password: 'a password of the operator' }
  })
  t.strictSame(config.trustProxy, ['10.0.0.0/8', '::1'])
  t.strictSame(config.allowedOrigins, ['https://app.example.org', 'http://localhost:5173'])
})

t.test('the configuration is frozen to its leaves', async (t) => {
  const isDeepFrozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(isDeepFrozen))
  t.ok(isDeepFrozen(loadConfig({ ...production, TRUST_PROXY: '::1', ALLOWED_ORIGINS: 'http://a' })))
})

t.test('some defaults follow from other variables', async (t) => {
  t.equal(loadConfig({ NODE_ENV: 'test' }).environment, 'development')
  t.equal(loadConfig(production).shutdownDelayMs, 3000)
  t.match(loadConfig({ REDIS_URL: 'redis://cache' }).revocation, {
    mode: 'replica',
    failoverFenceMs: 0
  })
  for (const url of ['redis://a,redis://b', 'redis+sentinel://a/main']) {
    t.equal(loadConfig({ REDIS_URL: url }).revocation.failoverFenceMs, 10_000)
    const unfenced = loadConfig({ REDIS_URL: url, FAILOVER_FENCE: '0s' })
    t.equal(unfenced.revocation.failoverFenceMs, 0)
  }
  t.equal(loadConfig({ PUBLIC_URL: 'https://a.example/' }).jwt.issuer, 'https://a.example')
  const publicUrls = [
    ['0.0.0.0', 'http://localhost:3000'],
    ['::', 'http://localhost:3000'],
    ['::1', 'http://[::1]:3000'],
    ['auth.internal', 'http://auth.internal:3000']
  ] as const
  for (const [host, publicUrl] of publicUrls) {
    t.equal(loadConfig({ HOST: host }).publicUrl, publicUrl)
  }
  t.equal(loadConfig({ PORT: '80' }).publicUrl, 'http://127.0.0.1')
})

t.test('the list of variables is the list of what is read', async (t) => {
  const read = new Set<string | symbol>()
  const env = new Proxy<NodeJS.ProcessEnv>(
    {},
    {
      get: (_, name) => {
        read.add(name)
        return undefined
      }
    }
  )
  loadConfig(env)
  t.strictSame([...read].sort(), configVariables.map(({ name }) => name).sort())
  t.ok(configVariables.every((entry) => entry.default !== '' && entry.description !== ''))
})

t.test('.env.example names every variable with values that load, and no secret', async (t) => {
  const text = readFileSync(new URL('../.env.example', import.meta.url), 'utf8')
  const values = parse(text.replaceAll(/^#(?=[A-Z0-9_]+=)/gm, ''))
  t.strictSame(
    Object.keys(values),
    configVariables.map(({ name }) => name)
  )
  t.ok(loadConfig(values))
  t.notOk(values['JWT_SECRET'] || values['REFRESH_SECRET'] || values['BOOTSTRAP_ADMIN_PASSWORD'])
  t.strictSame(parse(text), {}, 'copied as it is, it changes nothing')
})

t.test('in development a .env file adds to the environment, which wins', async (t) => {
  const cwd = t.testdir({ '.env': 'PORT=4000\nHOST="0.0.0.0"\nLOG_LEVEL=debug\n# PUBLIC_URL=x' })
  t.strictSame(readEnvironment({ PORT: '5000', LOG_LEVEL: '' }, cwd), {
    PORT: '5000',
    HOST: '0.0.0.0',
    LOG_LEVEL: ''
  })
  t.match(readEnvironment({ NODE_ENV: 'development' }, cwd), { PORT: '4000' })
  for (const mode of ['production', 'test', 'prod']) {
    t.strictSame(readEnvironment({ NODE_ENV: mode }, cwd), { NODE_ENV: mode })
  }
})

t.test('without a .env file the environment is all there is', async (t) => {
  const cwd = t.testdir({})
  t.strictSame(readEnvironment({ PORT: '5000' }, cwd), { PORT: '5000' })
  mkdirSync(`${cwd}/.env`)
  t.throws(() => readEnvironment({}, cwd), { code: 'EISDIR' })
})

t.test('a .env file cannot set what Node has read before it', async (t) => {
  const cwd = t.testdir({ '.env': 'NODE_ENV=production\nUV_THREADPOOL_SIZE=16' })
  const { problems } = configErrorOf(() => readEnvironment({}, cwd))
  t.strictSame(
    problems.map(({ variable }) => variable),
    ['NODE_ENV', 'UV_THREADPOOL_SIZE']
  )
  const set = { NODE_ENV: 'development', UV_THREADPOOL_SIZE: '8' }
  t.strictSame(readEnvironment(set, cwd), set)
  const harmless = t.testdir({ '.env': 'NODE_ENV=development\nUV_THREADPOOL_SIZE=4' })
  t.ok(loadConfig(readEnvironment({}, harmless)))
})
