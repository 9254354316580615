import { newSecrets } from '../support/keycard.js'
import type { Lifetime } from '../support/lifetime.js'
import { startPostgres, type TestPostgres } from '../support/postgres.js'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js'
import { sharedBuild } from '../support/shared-build.js'
import { type ChaosNode, startNode } from './node-process.js'
import { type RedisSide, startRedisSide } from './redis-side.js'

/** A line from one node to a server that it depends on. */
export interface Line extends Omit<TcpProxy, 'retarget'> {
  /** New connections lead to where the server is now. */
  readonly connect: () => void
}

/** A whole deployment: each node has lines of its own to Redis and to Postgres. */
export interface Site {
  readonly nodes: readonly ChaosNode[]
  readonly redis: RedisSide | undefined
  readonly postgres: TestPostgres
  readonly redisLines: readonly Line[]
  readonly postgresLines: readonly Line[]
}

export interface SiteOptions {
  readonly nodes: number
  /** Whether there is a Redis at all. */
  readonly redis: boolean
  readonly env: NodeJS.ProcessEnv
  readonly lie?: string
}

export async function startSite(t: Lifetime, options: SiteOptions): Promise<Site> {
  const redis = options.redis ? await startRedisSide(t) : undefined
  const [build, postgres] = await Promise.all([sharedBuild(t), startPostgres(t)])
  const secrets = newSecrets()
  const each = Array.from({ length: options.nodes })
  const postgresPort = Number(new URL(postgres.url).port)
  const postgresLines = await Promise.all(each.map(() => openLine(t, () => postgresPort)))
  const redisLines = redis ? await Promise.all(each.map(() => openLine(t, redis.port))) : []

  async function start(index: number): Promise<ChaosNode> {
    const env = {
      DATABASE_URL: through(postgres.url, postgresLines[index]),
      ...(redis && {
        REDIS_URL: through('redis://127.0.0.1', redisLines[index]),
        // Longer than a deposed primary lingers.
        FAILOVER_FENCE: '3s'
      }),
      JWT_SECRET: secrets.jwt,
      REFRESH_SECRET: secrets.refresh,
      JWT_ISSUER: 'https://keycard.test',
      RATE_LIMIT: 'off',
      ARGON2_MEMORY_KIB: '8',
      ARGON2_TIME: '1',
      LOG_LEVEL: 'warn',
      ...options.env
    }
    return await startNode(t, { build, env, ...(options.lie && { lie: options.lie }) })
  }

  const nodes = await Promise.all(each.map((_, index) => start(index)))
  return { nodes, redis, postgres, redisLines, postgresLines }
}

async function openLine(t: Lifetime, target: () => number): Promise<Line> {
  const { port, cut, delay, retarget } = await startTcpProxy(t, target())
  const connect = () => {
    retarget(target())
  }
  return { port, cut, delay, connect }
}

function through(url: string, line: Line | undefined): string {
  if (line === undefined) throw new RangeError('There is a line for each node')
  const changed = new URL(url)
  changed.port = String(line.port)
  return changed.href
}
