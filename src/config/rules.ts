import type { Config } from '../config.js'
import type { Environment } from './environment.js'
import type { Variable } from './variable.js'
import { variables } from './variables.js'

/** What must hold between variables. One that is broken makes the blamed variable wrong. */
interface Rule {
  readonly blames: Variable<unknown>
  readonly allowed: string
  readonly isBroken: (config: Config, environment: Environment) => boolean
  /** Other variables it looks at: with one of them wrong, there is nothing to say. */
  readonly looksAt?: readonly Variable<unknown>[]
}

const v = variables

/** What an answer needs on top of the lease that it waits for. */
const leaseMarginMs = 100
const leaseInWords = `LEASE_MS + ${leaseMarginMs} ms must be below REVOCATION_DEADLINE`
const isLeaseTooLong = ({ revocation: { leaseMs, deadlineMs } }: Config): boolean =>
  leaseMs + leaseMarginMs >= deadlineMs

const rules: readonly Rule[] = [
  {
    blames: v.sessionIdleTtl,
    looksAt: [v.sessionMaxTtl],
    allowed: 'at most SESSION_MAX_TTL',
    isBroken: ({ session }) => session.idleTtlSeconds > session.maxTtlSeconds
  },
  {
    blames: v.revocationMode,
    looksAt: [v.redisUrl],
    allowed: 'redis only with a REDIS_URL; without one, replica or database',
    isBroken: ({ revocation, redis }) => revocation.mode === 'redis' && redis === undefined
  },
  {
    blames: v.leaseMs,
    looksAt: [v.revocationDeadline],
    allowed: leaseInWords,
    isBroken: (config, { isSet }) => isLeaseTooLong(config) && isSet(v.leaseMs)
  },
  {
    blames: v.revocationDeadline,
    looksAt: [v.leaseMs],
    allowed: leaseInWords,
    isBroken: isLeaseTooLong
  },
  {
    blames: v.jwtSecret,
    looksAt: [v.jwtKeysFile],
    allowed: 'JWT_SECRET or JWT_KEYS_FILE, not both',
    isBroken: ({ jwt }) => jwt.secret !== undefined && jwt.keysFile !== undefined
  },
  {
    blames: v.jwtSecret,
    looksAt: [v.jwtAlgorithm],
    allowed: 'only with JWT_ALGORITHM=HS256; other algorithms take their keys from JWT_KEYS_FILE',
    isBroken: ({ jwt }) => jwt.secret !== undefined && jwt.algorithm !== 'HS256'
  },
  {
    blames: v.refreshSecret,
    looksAt: [v.jwtSecret],
    allowed: 'another secret than JWT_SECRET',
    isBroken: ({ refresh, jwt }) => refresh.secret !== undefined && refresh.secret === jwt.secret
  },
  {
    blames: v.argon2MemoryKib,
    looksAt: [v.argon2Parallelism],
    allowed: 'at least 8 for each lane of ARGON2_PARALLELISM',
    isBroken: ({ passwords: { argon2 } }) => argon2.memoryKib < 8 * argon2.parallelism
  },
  {
    blames: v.bootstrapAdminPassword,
    allowed: 'BOOTSTRAP_ADMIN_EMAIL and BOOTSTRAP_ADMIN_PASSWORD, both or none',
    isBroken: (_, { isSet }) => isSet(v.bootstrapAdminEmail) && !isSet(v.bootstrapAdminPassword)
  },
  {
    blames: v.bootstrapAdminEmail,
    allowed: 'BOOTSTRAP_ADMIN_EMAIL and BOOTSTRAP_ADMIN_PASSWORD, both or none',
    isBroken: (_, { isSet }) => isSet(v.bootstrapAdminPassword) && !isSet(v.bootstrapAdminEmail)
  }
]

/** OWASP Password Storage Cheat Sheet: each is as strong as the others. One lane is enough for all. */
const argon2Floors = [
  { memoryKib: 47_104, time: 1 },
  { memoryKib: 19_456, time: 2 },
  { memoryKib: 12_288, time: 3 },
  { memoryKib: 9216, time: 4 },
  { memoryKib: 7168, time: 5 }
]
const floorInWords = argon2Floors.map(({ memoryKib, time }) => `${memoryKib}/${time}`).join(', ')
/** Whether password hashes would be cheaper than OWASP's floor. */
export const isBelowArgon2Floor = ({ passwords: { argon2 } }: Config): boolean =>
  !argon2Floors.some(({ memoryKib, time }) => argon2.memoryKib >= memoryKib && argon2.time >= time)
const floor = `in production ARGON2_MEMORY_KIB/ARGON2_TIME of at least one of ${floorInWords}`

const productionRules: readonly Rule[] = [
  {
    blames: v.databaseUrl,
    allowed: 'in production the URL of a Postgres: the embedded one is for development',
    isBroken: ({ databaseUrl }) => databaseUrl === undefined
  },
  {
    blames: v.jwtSecret,
    looksAt: [v.jwtKeysFile, v.jwtAlgorithm],
    allowed: 'in production at least 32 bytes, or a JWT_KEYS_FILE instead',
    isBroken: ({ jwt }) =>
      jwt.algorithm === 'HS256' && jwt.secret === undefined && jwt.keysFile === undefined
  },
  {
    blames: v.jwtKeysFile,
    looksAt: [v.jwtAlgorithm],
    allowed: 'in production a JSON key ring with the keys of JWT_ALGORITHM',
    isBroken: ({ jwt }) => jwt.algorithm !== 'HS256' && jwt.keysFile === undefined
  },
  {
    blames: v.refreshSecret,
    allowed: 'in production at least 32 bytes',
    isBroken: ({ refresh }) => refresh.secret === undefined
  },
  {
    blames: v.publicUrl,
    allowed: 'in production an origin with https',
    isBroken: ({ publicUrl }) => !publicUrl.startsWith('https:')
  },
  {
    blames: v.port,
    allowed: 'in production a whole number from 1 to 65535',
    isBroken: ({ port }) => port === 0
  },
  {
    blames: v.argon2MemoryKib,
    looksAt: [v.argon2Time],
    allowed: floor,
    isBroken: (config, { isSet }) => isBelowArgon2Floor(config) && isSet(v.argon2MemoryKib)
  },
  {
    blames: v.argon2Time,
    looksAt: [v.argon2MemoryKib],
    allowed: floor,
    isBroken: (config, { isSet }) => isBelowArgon2Floor(config) && isSet(v.argon2Time)
  },
  {
    blames: v.rateLimit,
    allowed: 'in production on',
    isBroken: ({ rateLimits }) => rateLimits === 'off'
  }
]

/** Notes every rule that the configuration breaks; those of production only there. */
export function checkRules(config: Config, environment: Environment): void {
  const applicable = config.environment === 'production' ? [...rules, ...productionRules] : rules
  for (const rule of applicable) {
    const involved = [rule.blames, ...(rule.looksAt ?? [])]
    if (involved.some(environment.isWrong)) continue
    if (rule.isBroken(config, environment)) environment.refuse(rule.blames, rule.allowed)
  }
}
