import type { Lifetime } from '../../test/support/lifetime.js'
import { ownPostgres, ownRedis, type PostgresBackend } from './backends.js'
import type { ServerScript } from './build.js'
import { nodeEnvironment, password, seedUsers } from './seed.js'
import { type ServerProcess, startServer } from './server-process.js'
import type { Processes } from './variants.js'

/** Whole Keycards that share a database and a Redis. */
export interface BenchDeployment {
  readonly nodes: readonly [ServerProcess, ...ServerProcess[]]
  readonly postgres: PostgresBackend
  readonly processes: Processes
  /** Everybody's: of the password in seed.ts. */
  readonly passwordHash: string
}

export const admin = { email: 'root@bench.example', password }

/** The first users and their sessions are there before the first node is. */
export async function startDeployment(
  { lifetime, script }: { readonly lifetime: Lifetime; readonly script: ServerScript },
  { nodes: count = 1, users }: { readonly nodes?: number; readonly users: number }
): Promise<BenchDeployment> {
  const [postgres, redis] = await Promise.all([ownPostgres(lifetime), ownRedis(lifetime)])
  const passwordHash = await seedUsers(postgres.sql, users)
  const env = {
    ...nodeEnvironment,
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    BOOTSTRAP_ADMIN_EMAIL: admin.email,
    BOOTSTRAP_ADMIN_PASSWORD: admin.password
  }
  const start = () => startServer(lifetime, { script: script('service'), env })
  const first = await start()
  const others = await Promise.all(Array.from({ length: count - 1 }, start))
  const nodes: BenchDeployment['nodes'] = [first, ...others]
  return {
    nodes,
    postgres,
    passwordHash,
    processes: {
      server: nodes.map(({ pid }) => pid),
      redis: [redis.pid],
      postgres: [postgres.pid]
    }
  }
}
