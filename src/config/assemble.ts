import { isIPv6 } from 'node:net'
import type { Config } from '../config.js'
import type { Environment } from './environment.js'
import { forEachLimit } from './rate-limits.js'
import { limitVariables, variables } from './variables.js'

type Read = Environment['read']

/** Reads every variable into its place. */
export function assembleConfig(read: Read): Config {
  const environment = read(variables.environment) === 'production' ? 'production' : 'development'
  const host = read(variables.host)
  const port = read(variables.port)
  const publicUrl = read(variables.publicUrl) ?? localOrigin(host, port)
  const redis = read(variables.redisUrl)
  return {
    environment,
    databaseUrl: read(variables.databaseUrl),
    redis,
    host,
    port,
    publicUrl,
    dataDir: read(variables.dataDir),
    jwt: readJwt(read, publicUrl),
    refresh: { secret: read(variables.refreshSecret), graceMs: read(variables.refreshGrace) },
    session: {
      idleTtlSeconds: read(variables.sessionIdleTtl),
      maxTtlSeconds: read(variables.sessionMaxTtl)
    },
    revocation: readRevocation(read, redis),
    passwords: readPasswords(read),
    trustProxy: read(variables.trustProxy) ?? [],
    allowedOrigins: read(variables.allowedOrigins) ?? [],
    rateLimits: readRateLimits(read),
    registration: read(variables.registration),
    metricsToken: read(variables.metricsToken),
    audit: {
      retentionMs: read(variables.auditRetention),
      sealIntervalMs: read(variables.auditSealInterval)
    },
    canary: readCanary(read),
    logLevel: read(variables.logLevel),
    shutdownDelayMs: read(variables.shutdownDelayMs) ?? (environment === 'production' ? 3000 : 0),
    threadPoolSize: read(variables.threadPoolSize),
    bootstrapAdmin: readBootstrapAdmin(read)
  }
}

function readJwt(read: Read, publicUrl: string): Config['jwt'] {
  return {
    algorithm: read(variables.jwtAlgorithm),
    secret: read(variables.jwtSecret),
    keysFile: read(variables.jwtKeysFile),
    issuer: read(variables.jwtIssuer) ?? publicUrl,
    audience: read(variables.jwtAudience),
    accessTokenTtlSeconds: read(variables.accessTokenTtl)
  }
}

function readRevocation(read: Read, redis: Config['redis']): Config['revocation'] {
  return {
    mode: read(variables.revocationMode),
    deadlineMs: read(variables.revocationDeadline),
    leaseMs: read(variables.leaseMs),
    failoverFenceMs: read(variables.failoverFence) ?? defaultFenceMs(redis)
  }
}

/** A single Redis has nobody to fail over to. */
function defaultFenceMs(redis: Config['redis']): number {
  return redis === undefined || redis.kind === 'single' ? 0 : 10_000
}

function readPasswords(read: Read): Config['passwords'] {
  return {
    minLength: read(variables.passwordMinLength),
    argon2: {
      memoryKib: read(variables.argon2MemoryKib),
      time: read(variables.argon2Time),
      parallelism: read(variables.argon2Parallelism)
    },
    queueLimit: read(variables.hashQueueLimit)
  }
}

/** The numbers are read even with the limits off: a wrong one is wrong. */
function readRateLimits(read: Read): Config['rateLimits'] {
  const limits = forEachLimit((name) => read(limitVariables[name]))
  return read(variables.rateLimit) === 'off' ? 'off' : limits
}

function readCanary(read: Read): Config['canary'] {
  const targets = read(variables.canaryTargets)
  const intervalMs = read(variables.canaryInterval)
  return targets && { targets, intervalMs }
}

function readBootstrapAdmin(read: Read): Config['bootstrapAdmin'] {
  const email = read(variables.bootstrapAdminEmail)
  const password = read(variables.bootstrapAdminPassword)
  return email === undefined || password === undefined ? undefined : { email, password }
}

/** Where the service can be reached from this machine, whatever it listens on. */
function localOrigin(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  return new URL(`http://${isIPv6(reachable) ? `[${reachable}]` : reachable}:${port}`).origin
}
