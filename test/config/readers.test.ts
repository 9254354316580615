import t from 'tap'
import { refusals } from '../support/config.js'

t.test('each variable that is given alone and wrong is the one that is named', async (t) => {
  const wrong = {
    NODE_ENV: ['prod', 'Production', 'staging'],
    DATABASE_URL: ['localhost/keycard', 'mysql://db/x', 'postgres:/db', 'postgres://a:x/y'],
    REDIS_URL: ['localhost:6379', 'redis://', 'http://cache', 'redis://a/b', 'redis://a?x=1'],
    HOST: [
      'http://localhost',
      'local host',
      '[::1]',
      'a:80',
      '256.1.1.1',
      '1.2.3.4.5',
      'fe80::1%eth0'
    ],
    PORT: ['-1', '65536', '80.5', '0x50', '08', ' 80', '1e3'],
    PUBLIC_URL: [
      'example.org',
      'ftp://a',
      'https://a/path',
      'https://a?q',
      'https://a#f',
      'https://a/?',
      'https://*.example.org'
    ],
    KEYCARD_DATA_DIR: ['a\0b'],
    LOG_LEVEL: ['verbose', 'INFO'],
    SHUTDOWN_DELAY: ['11s', '1', 's'],
    UV_THREADPOOL_SIZE: ['2', '1025', 'four'],
    JWT_ALGORITHM: ['none', 'hs256', 'HS512'],
    JWT_SECRET: [
      'x'.repeat(31),
      'x'.repeat(32),
      'change-me-in-production-please-now',
      JSON.stringify({ kty: 'oct', k: 'A'.repeat(43) })
    ],
    JWT_KEYS_FILE: ['a\0b'],
    JWT_ISSUER: ['a\nb', 'x'.repeat(256)],
    JWT_AUDIENCE: ['a\u0000b'],
    ACCESS_TOKEN_TTL: [
      '61m',
      '0s',
      '999ms',
      '1500ms',
      '15',
      '15 m',
      '15min',
      '1.5m',
      '+1m',
      '015m',
      '15M'
    ],
    REFRESH_SECRET: ['ä'.repeat(15), 'your-super-secret-key-here-32-bytes'],
    REFRESH_GRACE: ['61s', '-1s'],
    SESSION_IDLE_TTL: ['0s', '401d'],
    SESSION_MAX_TTL: ['401d', '1y'],
    REVOCATION_MODE: ['memory', 'Replica', 'redis'],
    LEASE_MS: ['99', '5001', '500ms', '1.5'],
    FAILOVER_FENCE: ['61s', '10', '-1s'],
    REVOCATION_DEADLINE: ['99ms', '31s'],
    PASSWORD_MIN_LENGTH: ['7', '65'],
    ARGON2_MEMORY_KIB: ['7', '262145'],
    ARGON2_TIME: ['0', '11'],
    ARGON2_PARALLELISM: ['0', '17'],
    HASH_QUEUE_LIMIT: ['0', '10001'],
    TRUST_PROXY: [
      'true',
      '1',
      'loopback',
      '10.0.0.0/33',
      '10.0.0.0/0',
      '::/0',
      '10.0.0.0/8/8',
      '10.0.0/8',
      'fd00::/129',
      'fe80::1%eth0',
      '10.0.0.1,'
    ],
    ALLOWED_ORIGINS: [
      '*',
      'https://*.example.org',
      'https://a/',
      'https://A',
      'https://a:443',
      'null',
      'a',
      'https://a,'
    ],
    REGISTRATION: ['yes', 'verified'],
    AUDIT_RETENTION: ['23h', '36501d', '400'],
    AUDIT_SEAL_INTERVAL: ['99ms', '61m'],
    BOOTSTRAP_ADMIN_EMAIL: ['admin', 'a b@c', `${'x'.repeat(250)}@a.bc`],
    RATE_LIMIT: ['true', 'OFF'],
    RATE_LIMIT_REQUESTS_PER_IP: [
      '0/1m',
      '5',
      '5/',
      '/1m',
      '5/1m/1m',
      '5/0s',
      '5/2d',
      '1.5/1m',
      '1000001/1m'
    ]
  }
  for (const [name, texts] of Object.entries(wrong)) {
    for (const text of texts)
      t.match(refusals({ [name]: text }), { [name]: String }, `${name}=${text}`)
  }
})

t.test('what this release does not have yet is named as such', async (t) => {
  t.strictSame(
    refusals({
      REGISTRATION: 'verified'
    }),
    { REGISTRATION: 'open, closed (this release does not have verified yet)' }
  )
})
