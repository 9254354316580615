import { resolve } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../src/config.js'
import { production, refusals } from '../support/config.js'

t.test('variables must fit each other', async (t) => {
  t.same(refusals({ REVOCATION_MODE: 'redis' }), {
    REVOCATION_MODE: 'redis only with a REDIS_URL; without one, replica or database'
  })
  t.ok(loadConfig({ REVOCATION_MODE: 'replica' }))
  const tooLong = 'LEASE_MS + 100 ms must be below REVOCATION_DEADLINE'
  t.same(refusals({ LEASE_MS: '1900' }), { LEASE_MS: tooLong })
  t.ok(loadConfig({ LEASE_MS: '1899' }))
  t.same(refusals({ REVOCATION_DEADLINE: '600ms' }), { REVOCATION_DEADLINE: tooLong })
  t.same(refusals({ LEASE_MS: '200', REVOCATION_DEADLINE: '300ms' }), { LEASE_MS: tooLong })
  t.ok(loadConfig({ LEASE_MS: '199', REVOCATION_DEADLINE: '300ms' }))
  t.same(refusals({ SESSION_IDLE_TTL: '2h', SESSION_MAX_TTL: '1h' }), {
    SESSION_IDLE_TTL: 'at most SESSION_MAX_TTL'
  })
  const { JWT_SECRET } = production
  t.same(refusals({ JWT_SECRET, JWT_KEYS_FILE: 'keys.json' }), {
    JWT_SECRET: 'JWT_SECRET or JWT_KEYS_FILE, not both'
  })
  t.match(refusals({ JWT_SECRET, JWT_ALGORITHM: 'EdDSA' }), {
    JWT_SECRET: /only with JWT_ALGORITHM=HS256/
  })
  t.same(refusals({ JWT_SECRET, REFRESH_SECRET: JWT_SECRET }), {
    REFRESH_SECRET: 'another secret than JWT_SECRET'
  })
  t.match(refusals({ ARGON2_MEMORY_KIB: '16', ARGON2_PARALLELISM: '4' }), {
    ARGON2_MEMORY_KIB: /at least 8 for each lane/
  })
  t.match(refusals({ BOOTSTRAP_ADMIN_EMAIL: 'a@b.c' }), {
    BOOTSTRAP_ADMIN_PASSWORD: /both or none/
  })
  t.match(refusals({ BOOTSTRAP_ADMIN_PASSWORD: 'p' }), { BOOTSTRAP_ADMIN_EMAIL: /both or none/ })
})

t.test('a wrong variable is not blamed for what others say about it', async (t) => {
  const names = (env: NodeJS.ProcessEnv) => Object.keys(refusals(env))
  t.same(names({ REVOCATION_MODE: 'redis', REDIS_URL: 'nonsense' }), ['REDIS_URL'])
  t.same(names({ LEASE_MS: '5000', REVOCATION_DEADLINE: 'soon' }), ['REVOCATION_DEADLINE'])
  t.same(names({ SESSION_IDLE_TTL: '60d', SESSION_MAX_TTL: 'long' }), ['SESSION_MAX_TTL'])
})

t.test('production takes no default secret, no embedded database and no plain HTTP', async (t) => {
  t.same(Object.keys(refusals({ NODE_ENV: 'production' })), [
    'DATABASE_URL',
    'PUBLIC_URL',
    'JWT_SECRET',
    'REFRESH_SECRET'
  ])
  t.match(refusals({ ...production, PUBLIC_URL: 'http://auth.example.org' }), {
    PUBLIC_URL: /https/
  })
  t.match(refusals({ ...production, PUBLIC_URL: '', PORT: 'http' }), { PUBLIC_URL: /https/ })
  t.match(refusals({ ...production, PORT: '0' }), { PORT: /from 1 to 65535/ })
  t.match(refusals({ ...production, RATE_LIMIT: 'off' }), { RATE_LIMIT: 'in production on' })
  t.equal(loadConfig({ RATE_LIMIT: 'off' }).rateLimits, 'off')
})

t.test(
  'production takes a key ring instead of the secret, and needs one for other algorithms',
  async (t) => {
    const { JWT_SECRET, ...rest } = production
    t.ok(JWT_SECRET)
    for (const algorithm of ['HS256', 'EdDSA', 'ES256', 'RS256']) {
      const { jwt } = loadConfig({ ...rest, JWT_ALGORITHM: algorithm, JWT_KEYS_FILE: 'keys.json' })
      t.match(jwt, { algorithm, secret: undefined, keysFile: resolve('keys.json') })
    }
    for (const algorithm of ['EdDSA', 'ES256', 'RS256']) {
      t.same(Object.keys(refusals({ ...rest, JWT_ALGORITHM: algorithm })), ['JWT_KEYS_FILE'])
      t.equal(loadConfig({ JWT_ALGORITHM: algorithm }).jwt.algorithm, algorithm)
    }
  }
)

t.test("production takes no argon2 below OWASP's floor", async (t) => {
  const cost = (memory: string, time: string) => ({ ARGON2_MEMORY_KIB: memory, ARGON2_TIME: time })
  for (const [memory, time] of [
    ['47104', '1'],
    ['19456', '2'],
    ['12288', '3'],
    ['9216', '4'],
    ['7168', '5'],
    ['65536', '3']
  ] as const) {
    t.ok(loadConfig({ ...production, ...cost(memory, time) }))
    const weaker = cost(String(Math.min(Number(memory), 47_104) - 1), '1')
    t.match(refusals({ ...production, ...weaker }), { ARGON2_MEMORY_KIB: /47104\/1, 19456\/2/ })
    t.ok(loadConfig(weaker), 'development does')
  }
  t.match(refusals({ ...production, ARGON2_TIME: '1' }), { ARGON2_TIME: /19456\/2/ })
  t.match(refusals({ ...production, ARGON2_MEMORY_KIB: '19455' }), {
    ARGON2_MEMORY_KIB: /19456\/2/
  })
})
