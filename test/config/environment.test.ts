import fc from 'fast-check'
import t from 'tap'
import { ConfigError, configVariables, loadConfig } from '../../src/config.js'
import { configErrorOf, production, refusals } from '../support/config.js'

t.test('an empty variable is one that is not set', async (t) => {
  const empty = Object.fromEntries(configVariables.map(({ name }) => [name, '']))
  t.strictSame(loadConfig({ ...empty, KEYCARD_NO_SUCH: '' }), loadConfig({}))
})

t.test('one message names every wrong variable, in order and aligned', async (t) => {
  const error = configErrorOf(() =>
    loadConfig({
      KEYCARD_DATADIR: '/tmp/x',
      RATE_LIMIT_LOGIN_PER_IP: '5',
      ACCESS_TOKEN_TTL: '2h',
      PORT: '65536',
      JWT_SECRET: 'short',
      REGISTRATION: 'verified'
    })
  )
  t.equal(
    error.message,
    [
      '6 variables are wrong in the configuration:',
      '  PORT                     given: 65536     allowed: a whole number from 0 to 65535',
      '  JWT_SECRET               given: (hidden)  allowed: at least 32 random bytes; this secret is shorter than 32 bytes (hex and base64 count decoded): use the output of: openssl rand -base64 48',
      '  ACCESS_TOKEN_TTL         given: 2h        allowed: a duration of whole seconds from 1s to 1h (units: ms, s, m, h, d)',
      '  REGISTRATION             given: verified  allowed: open, closed (this release does not have verified yet)',
      '  RATE_LIMIT_LOGIN_PER_IP  given: 5         allowed: requests/window, such as 30/1m: a whole number from 1 and a duration from 1s to 1d',
      '  KEYCARD_DATADIR          given: (hidden)  allowed: there is no such variable; KEYCARD_DATA_DIR may be meant'
    ].join('\n')
  )
  t.equal(error.name, 'ConfigError')
})

t.test('a single wrong variable is named in the singular', async (t) => {
  t.match(configErrorOf(() => loadConfig({ PORT: 'http' })).message, /^1 variable is wrong/)
})

t.test('secrets, and whatever may hold one, are never quoted', async (t) => {
  const canary = 'c4n4ry'
  const { message } = configErrorOf(() =>
    loadConfig({
      ...production,
      DATABASE_URL: `mysql://user:${canary}@db`,
      REDIS_URL: `http://:${canary}@cache`,
      PUBLIC_URL: `https://user:${canary}@example.org`,
      ALLOWED_ORIGINS: `https://user:${canary}@example.org`,
      JWT_SECRET: canary,
      REFRESH_SECRET: canary,
      BOOTSTRAP_ADMIN_PASSWORD: canary,
      KEYCARD_JWT_SECRET: canary
    })
  )
  t.notMatch(message, canary)
  t.match(message, /KEYCARD_JWT_SECRET .*JWT_SECRET may be meant/)
})

t.test('what is quoted is short and printable', async (t) => {
  const { problems } = configErrorOf(() =>
    loadConfig({ HOST: 'a\u001b[31m\nb\u202e', LOG_LEVEL: 'x'.repeat(100) })
  )
  t.strictSame(
    problems.map(({ given }) => given),
    ['a\ufffd[31m\ufffdb\ufffd', `${'x'.repeat(40)}…`]
  )
})

t.test('whatever is given, the answer is a frozen config or one ConfigError', async (t) => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.constantFrom('-1', '0', '1e3', '0x10', ' 1', '1 ', 'true', 'null', '1m', '5/1m', ','),
    fc.constantFrom(
      'http://a',
      'https://a/b',
      'postgres://a/b',
      'redis://a',
      'a@b',
      '::1',
      '10.0.0.0/8'
    )
  )
  const names = configVariables.map(({ name }) => name)
  const anyEnvironment = fc.dictionary(fc.constantFrom(...names), anyText, { maxKeys: 5 })
  fc.assert(
    fc.property(anyEnvironment, (env) => {
      try {
        return Object.isFrozen(loadConfig(env))
      } catch (error) {
        return (
          error instanceof ConfigError &&
          error.problems.length > 0 &&
          error.problems.every(({ variable }) => error.message.includes(variable))
        )
      }
    })
  )
  t.pass('held')
})

t.test('unknown names of ours are refused, with the nearest known one', async (t) => {
  const hints = [
    ['KEYCARD_DATADIR', 'KEYCARD_DATA_DIR'],
    ['KEYCARD_PROT', 'PORT'],
    ['KEYCARD_ACCESS_TOKEN_TLL', 'ACCESS_TOKEN_TTL'],
    ['KEYCARD_RATE_LIMIT', 'RATE_LIMIT']
  ] as const
  for (const [name, nearest] of hints) {
    t.same(refusals({ [name]: '1' }), {
      [name]: `there is no such variable; ${nearest} may be meant`
    })
  }
  t.same(refusals({ KEYCARD_FLUX_CAPACITOR: '1' }), {
    KEYCARD_FLUX_CAPACITOR: 'there is no such variable'
  })
  t.ok(loadConfig({ PATH: '/bin', KEYCARDS: '1', SMTP_URL: 'x', CLI_TOKEN: 'y', LEASE: 'z' }))
})
