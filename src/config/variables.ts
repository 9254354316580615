import { jwtAlgorithms } from '../tokens/algorithms.js'
import { argon2Limits } from '../passwords/stored-hash.js'
import { databaseUrl, host, origin, origins, proxies } from './network-readers.js'
import { forEachLimit, limitDefinitions } from './rate-limits.js'
import {
  choice,
  email,
  identifier,
  integer,
  milliseconds,
  password,
  path,
  rateLimit,
  seconds,
  secret
} from './readers.js'
import { redisTarget } from './redis-target.js'
import { optional, variable } from './variable.js'

/** Where the service runs and what it talks to. */
const service = {
  environment: variable('NODE_ENV', choice(['development', 'test', 'production']), {
    default: 'development',
    description:
      '`production` refuses whatever is convenient but unsafe; `test` counts as `development`'
  }),
  databaseUrl: optional('DATABASE_URL', databaseUrl, {
    default: 'an embedded Postgres in `KEYCARD_DATA_DIR`',
    description: 'Postgres, `postgres://…`. Required in production',
    isSecret: true
  }),
  redisUrl: optional('REDIS_URL', redisTarget, {
    default: 'none',
    description:
      'Redis, `redis://a`; `redis://a,redis://b` is a Cluster, `redis+sentinel://a,b/name` Sentinel',
    isSecret: true
  }),
  host: variable('HOST', host, {
    default: '127.0.0.1',
    description: 'address to listen on; `0.0.0.0` for all'
  }),
  port: variable('PORT', integer(0, 65_535), {
    default: '3000',
    description: 'port to listen on; `0` takes a free one, in development'
  }),
  publicUrl: optional('PUBLIC_URL', origin, {
    default: '`http://HOST:PORT`',
    description: 'the origin that clients see; links are built from it alone. https in production'
  }),
  dataDir: variable('KEYCARD_DATA_DIR', path, {
    default: '.keycard',
    description: 'folder of the embedded database and of generated development secrets'
  }),
  logLevel: variable(
    'LOG_LEVEL',
    choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']),
    { default: 'info', description: 'fatal, error, warn, info, debug, trace or silent' }
  ),
  shutdownDelayMs: optional('SHUTDOWN_DELAY', milliseconds('0s', '10s'), {
    default: '`3s` in production, else `0s`',
    description: 'how long readiness says no before the listener closes, at most 10s'
  }),
  threadPoolSize: variable('UV_THREADPOOL_SIZE', integer(3, 1024), {
    default: '4',
    description:
      "threads of Node's pool, at least 3: hashing leaves two to DNS and files. Not from a `.env`"
  })
}

/** Tokens and sessions. */
const tokens = {
  jwtAlgorithm: variable('JWT_ALGORITHM', choice(jwtAlgorithms), {
    default: 'HS256',
    description: 'HS256, EdDSA, ES256 or RS256'
  }),
  jwtSecret: optional('JWT_SECRET', secret, {
    default: 'generated in development',
    description: 'key of HS256, at least 32 bytes. Required in production, or `JWT_KEYS_FILE`',
    isSecret: true
  }),
  jwtKeysFile: optional('JWT_KEYS_FILE', path, {
    default: 'none',
    description: 'a JSON key ring instead of `JWT_SECRET`, for rotation and the other algorithms'
  }),
  jwtIssuer: optional('JWT_ISSUER', identifier, {
    default: '`PUBLIC_URL`',
    description: 'the claim `iss`'
  }),
  jwtAudience: variable('JWT_AUDIENCE', identifier, {
    default: 'keycard',
    description: 'the claim `aud`'
  }),
  accessTokenTtl: variable('ACCESS_TOKEN_TTL', seconds('1s', '1h'), {
    default: '15m',
    description: 'life of an access token, at most 1h'
  }),
  refreshSecret: optional('REFRESH_SECRET', secret, {
    default: 'generated in development',
    description:
      'key of the refresh tokens, at least 32 bytes, other than `JWT_SECRET`. Required in production',
    isSecret: true
  }),
  refreshGrace: variable('REFRESH_GRACE', milliseconds('0s', '1m'), {
    default: '10s',
    description: 'how long a used refresh token still answers with its successor, at most 1m'
  }),
  sessionIdleTtl: variable('SESSION_IDLE_TTL', seconds('1s', '400d'), {
    default: '7d',
    description: 'a session ends after so long without a refresh'
  }),
  sessionMaxTtl: variable('SESSION_MAX_TTL', seconds('1s', '400d'), {
    default: '30d',
    description: 'a session ends so long after login in any case, at most 400d'
  }),
  revocationMode: variable('REVOCATION_MODE', choice(['replica', 'redis', 'database']), {
    default: 'replica',
    description:
      'where requests look: `replica` in memory, `redis` in Redis, `database` in Postgres'
  }),
  leaseMs: variable('LEASE_MS', integer(100, 5000), {
    default: '500',
    description:
      'ms for which a node decides from memory without news, below `REVOCATION_DEADLINE` − 100 ms'
  }),
  failoverFence: optional('FAILOVER_FENCE', milliseconds('0s', '1m'), {
    default: '`10s` with Sentinel or Cluster, else `0s`',
    description:
      'how long a deposed Redis primary can go unnoticed, and answers wait for a lease; at most 1m'
  }),
  revocationDeadline: variable('REVOCATION_DEADLINE', milliseconds('100ms', '30s'), {
    default: '2s',
    description: 'how long a revocation waits to be confirmed before the answer is 503'
  })
}

/** Passwords, access and limits. */
const protection = {
  passwordMinLength: variable('PASSWORD_MIN_LENGTH', integer(8, 64), {
    default: '8',
    description: 'in characters, at least 8; NIST SP 800-63B-4 asks for 15 without a second factor'
  }),
  argon2MemoryKib: variable('ARGON2_MEMORY_KIB', integer(8, argon2Limits.memoryKib), {
    default: '19456',
    description: 'memory of one password hash; in production not below the floor of OWASP'
  }),
  argon2Time: variable('ARGON2_TIME', integer(1, argon2Limits.time), {
    default: '2',
    description: 'passes over that memory'
  }),
  argon2Parallelism: variable('ARGON2_PARALLELISM', integer(1, argon2Limits.parallelism), {
    default: '1',
    description: 'lanes of one password hash'
  }),
  hashQueueLimit: variable('HASH_QUEUE_LIMIT', integer(1, 10_000), {
    default: '64',
    description: 'password hashes that may wait before the answer is 503'
  }),
  trustProxy: optional('TRUST_PROXY', proxies, {
    default: 'none',
    description: 'addresses and CIDR ranges of the proxies whose `X-Forwarded-*` counts'
  }),
  allowedOrigins: optional('ALLOWED_ORIGINS', origins, {
    default: 'none',
    description: 'exact origins whose pages may call with credentials (CORS)'
  }),
  registration: variable('REGISTRATION', choice(['open', 'closed'], ['verified']), {
    default: 'open',
    description: '`closed`: nobody can register'
  }),
  metricsToken: optional('METRICS_TOKEN', secret, {
    default: 'none: `/metrics` is open in development and absent in production',
    description: 'who sends it as a bearer token may read `/metrics`, at least 32 bytes',
    isSecret: true
  }),
  auditRetention: variable('AUDIT_RETENTION', milliseconds('1d', '36500d'), {
    default: '400d',
    description: 'how long audit events are kept, 1d to 36500d; the hashes of the chain stay'
  }),
  auditSealInterval: variable('AUDIT_SEAL_INTERVAL', milliseconds('100ms', '1h'), {
    default: '5s',
    description: 'how long an audit event may wait until it is sealed into the chain'
  }),
  canaryTargets: optional('CANARY_TARGETS', origins, {
    default: 'none: no canary',
    description:
      'origins of all nodes: a session is opened, revoked and shown to each of them again and again'
  }),
  canaryInterval: variable('CANARY_INTERVAL', milliseconds('1s', '1h'), {
    default: '5s',
    description: 'how long the canary rests between two rounds'
  }),
  bootstrapAdminEmail: optional('BOOTSTRAP_ADMIN_EMAIL', email, {
    default: 'none',
    description: 'with the next one: makes the first admin, once, if there is none'
  }),
  bootstrapAdminPassword: optional('BOOTSTRAP_ADMIN_PASSWORD', password, {
    default: 'none',
    description: 'must satisfy the rules for passwords',
    isSecret: true
  }),
  rateLimit: variable('RATE_LIMIT', choice(['on', 'off']), {
    default: 'on',
    description: '`off` is refused in production'
  })
}

/** Every variable that is read, in the order in which they are documented. */
export const variables = { ...service, ...tokens, ...protection }

export const limitVariables = forEachLimit((name) => {
  const limit = limitDefinitions[name]
  return variable(limit.variable, rateLimit, {
    default: limit.defaultValue,
    description: limit.description
  })
})
