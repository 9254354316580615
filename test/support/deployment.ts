import type { Test } from 'tap'
import { type KeycardOptions, newSecrets, startKeycard, type TestKeycard } from './keycard.js'
import { createTestDatabase } from './postgres.js'
import { type RunningService, startServiceProcess } from './service-process.js'

/** Nodes that share a database and secrets. */
export interface Deployment {
  readonly databaseUrl: string
  /** Starts a node in this process. */
  readonly start: (options?: KeycardOptions) => Promise<TestKeycard>
  /** Starts a node as a process of its own, to be frozen and killed. */
  readonly spawn: (env?: NodeJS.ProcessEnv) => Promise<RunningService>
}

const issuer = 'https://keycard.test'

/** A deployment without nodes yet. `shared` is what each node gets unless it says otherwise. */
export async function createDeployment(t: Test, shared: KeycardOptions = {}): Promise<Deployment> {
  const databaseUrl = shared.databaseUrl ?? (await createTestDatabase(t))
  const secrets = shared.secrets ?? newSecrets()
  return {
    databaseUrl,
    start: (options = {}) =>
      startKeycard(t, {
        ...shared,
        databaseUrl,
        secrets,
        ...options,
        env: { JWT_ISSUER: issuer, ...shared.env, ...options.env }
      }),
    spawn: (env = {}) =>
      startServiceProcess(t, {
        env: {
          DATABASE_URL: databaseUrl,
          JWT_SECRET: secrets.jwt,
          REFRESH_SECRET: secrets.refresh,
          JWT_ISSUER: issuer,
          RATE_LIMIT: 'off',
          ...(shared.redisUrl === undefined ? {} : { REDIS_URL: shared.redisUrl }),
          ...(shared.mode === undefined ? {} : { REVOCATION_MODE: shared.mode }),
          ...shared.env,
          ...env
        }
      })
  }
}

/** Starts `count` nodes of one deployment at once. */
export async function startNodes(
  t: Test,
  count: number,
  shared: KeycardOptions = {}
): Promise<[TestKeycard, ...TestKeycard[]]> {
  const { start } = await createDeployment(t, shared)
  const [first, ...others] = await Promise.all(Array.from({ length: count }, () => start()))
  if (first === undefined) throw new RangeError('A deployment has at least one node')
  return [first, ...others]
}
