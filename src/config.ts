import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'dotenv'
import { assembleConfig } from './config/assemble.js'
import { ConfigError } from './config/config-error.js'
import { createEnvironment } from './config/environment.js'
import type { RateLimits } from './config/rate-limits.js'
import { checkRules } from './config/rules.js'
import { limitVariables, variables } from './config/variables.js'
import type { Argon2Cost } from './passwords/stored-hash.js'
import type { RedisTarget } from './redis/target.js'
import type { JwtAlgorithm } from './tokens/algorithms.js'

export { ConfigError }

/** Everything that can be set, validated and frozen. Nothing else reads the environment. */
export interface Config {
  readonly environment: 'development' | 'production'
  /** Undefined in development only: the embedded Postgres. */
  readonly databaseUrl: string | undefined
  readonly redis: RedisTarget | undefined
  readonly host: string
  readonly port: number
  /** An origin, without a slash at the end. */
  readonly publicUrl: string
  /** Absolute. */
  readonly dataDir: string
  readonly jwt: {
    readonly algorithm: JwtAlgorithm
    /** Both undefined in development only: generated. */
    readonly secret: string | undefined
    readonly keysFile: string | undefined
    readonly issuer: string
    readonly audience: string
    readonly accessTokenTtlSeconds: number
  }
  readonly refresh: { readonly secret: string | undefined; readonly graceMs: number }
  readonly session: { readonly idleTtlSeconds: number; readonly maxTtlSeconds: number }
  readonly revocation: {
    readonly mode: 'replica' | 'redis' | 'database'
    readonly deadlineMs: number
    readonly leaseMs: number
    /** What a lease counts longer where Redis can fail over. */
    readonly failoverFenceMs: number
  }
  readonly passwords: {
    readonly minLength: number
    readonly argon2: Argon2Cost
    readonly queueLimit: number
  }
  readonly trustProxy: readonly string[]
  readonly allowedOrigins: readonly string[]
  readonly rateLimits: RateLimits | 'off'
  readonly metricsToken: string | undefined
  readonly audit: { readonly retentionMs: number; readonly sealIntervalMs: number }
  /** Off by default. */
  readonly canary: { readonly targets: readonly string[]; readonly intervalMs: number } | undefined
  readonly registration: 'open' | 'closed'
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'
  readonly shutdownDelayMs: number
  readonly threadPoolSize: number
  readonly bootstrapAdmin: { readonly email: string; readonly password: string } | undefined
}

const allVariables = [...Object.values(variables), ...Object.values(limitVariables)]

/** Every variable there is, for the documentation: default and description are Markdown. */
export const configVariables = allVariables.map((variable) => ({
  name: variable.name,
  default: variable.default,
  description: variable.description
}))

/**
 * The configuration that the environment describes. An empty variable is one that is not set.
 *
 * @throws {ConfigError} one for everything that is wrong
 */
export function loadConfig(env: NodeJS.ProcessEnv): Config {
  const environment = createEnvironment(
    env,
    configVariables.map(({ name }) => name)
  )
  const config = assembleConfig(environment.read)
  checkRules(config, environment)
  environment.assertRight()
  return deepFreeze(config)
}

/**
 * The environment, and in development what a `.env` file in the folder adds to it. What is set, even
 * to nothing, wins over the file.
 *
 * @throws {ConfigError} when the file sets what Node has already read by then
 */
export function readEnvironment(env: NodeJS.ProcessEnv, cwd: string): NodeJS.ProcessEnv {
  const mode = env['NODE_ENV'] || 'development'
  const file = mode === 'development' ? readEnvFile(join(cwd, '.env')) : {}
  const problems = [variables.environment, variables.threadPoolSize]
    .filter(({ name, whenUnset }) => !env[name] && file[name] && file[name] !== `${whenUnset()}`)
    .map(({ name }) => ({
      variable: name,
      given: 'in .env',
      allowed: 'in the environment itself: from a file it would come too late'
    }))
  if (problems.length > 0) throw new ConfigError(problems)
  return { ...file, ...env }
}

function readEnvFile(path: string): Record<string, string> {
  try {
    return parse(readFileSync(path))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw error
  }
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) {
    if (typeof part === 'object' && part !== null) deepFreeze(part)
  }
  return Object.freeze(value)
}
