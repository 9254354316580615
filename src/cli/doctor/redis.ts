import { Cluster } from 'ioredis'
import type { Config } from '../../config.js'
import type { RedisClient } from '../../redis/client.js'
import { type Check, finder } from './finding.js'

/** Of one server, or of each master of a Cluster. */
export interface RedisFacts {
  readonly config: Config
  readonly servers: readonly ReadonlyMap<string, string>[]
  /** Whether each server keeps what it has over a restart; undefined where it won't say. */
  readonly persists: boolean | undefined
}

/** @throws where Redis does not answer */
export async function readRedis(config: Config, redis: RedisClient): Promise<RedisFacts> {
  const masters = redis instanceof Cluster ? redis.nodes('master') : [redis]
  const servers = await Promise.all(masters.map(async (master) => infoOf(await master.info())))
  const saves = await Promise.all(
    masters.map((master) => master.config('GET', 'save').catch(() => undefined))
  )
  const keeps = servers.map((info, index) => {
    if (info.get('aof_enabled') === '1') return true
    const save: unknown = saves[index]
    return Array.isArray(save) ? save[1] !== '' : undefined
  })
  const persists = keeps.includes(false) ? false : keeps.includes(undefined) ? undefined : true
  return { config, servers, persists }
}

function infoOf(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'))
  return new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon), line.slice(colon + 1)]
    })
  )
}

const eviction: Check<RedisFacts> = ({ servers }) => {
  const { error, warning } = finder('maxmemory-policy')
  const evicting = servers.find((info) => info.get('maxmemory_policy') !== 'noeviction')
  if (evicting === undefined) return undefined
  const policy = evicting.get('maxmemory_policy') ?? 'unknown'
  const advice = 'Set maxmemory-policy noeviction.'
  if (Number(evicting.get('maxmemory')) > 0) {
    return error(
      `Redis may throw revocations away (${policy}), so that nodes do not use it and ask Postgres for each request.`,
      advice
    )
  }
  return warning(
    `As soon as Redis gets a maxmemory, it may throw revocations away (${policy}), and nodes cease to use it.`,
    advice
  )
}

const persistence: Check<RedisFacts> = ({ persists }) => {
  if (persists !== false) return undefined
  return finder('redis-persistence').warning(
    'Redis keeps nothing over a restart: after one, the rate limits begin anew and nodes ask Postgres until the deny-list is filled again.',
    'Set appendonly yes.'
  )
}

/** What INFO says about the last attempts to write to the disk. */
const attempts = ['rdb_last_bgsave_status', 'aof_last_write_status', 'aof_last_bgrewrite_status']

const failingPersistence: Check<RedisFacts> = ({ servers, persists }) => {
  const failed = attempts.find((name) => servers.some((info) => info.get(name) === 'err'))
  if (failed === undefined || persists === false) return undefined
  return finder('redis-persistence').error(
    `Redis is to keep what it has over a restart, and fails to (${failed}): it may soon take no writes either.`,
    "Look into Redis' log; mostly its disk is full or its folder is not its own."
  )
}

const role: Check<RedisFacts> = ({ servers }) => {
  if (servers.every((info) => info.get('role') === 'master')) return undefined
  return finder('REDIS_URL').error(
    'REDIS_URL leads to a replica, which can only be read.',
    'Let it lead to the primary, or name the sentinels.'
  )
}

const version: Check<RedisFacts> = ({ servers }) => {
  const old = servers.find((info) => Number(info.get('redis_version')?.split('.')[0]) < 7)
  if (old === undefined) return undefined
  return finder('redis-version').error(
    `Redis ${old.get('redis_version')} is older than Keycard is tested with.`,
    'Run Redis 7 or later, or Valkey.'
  )
}

const canFailOver = ({ redis }: Config): boolean => redis !== undefined && redis.kind !== 'single'

/** Redis tells of good replicas only where it asks for some. */
const minReplicas: Check<RedisFacts> = ({ config, servers }) => {
  if (!canFailOver(config)) return undefined
  if (servers.every((info) => info.has('min_slaves_good_slaves'))) return undefined
  return finder('min-replicas-to-write').error(
    'A primary of Redis that was deposed goes on taking writes, and nodes that still talk to it miss revocations.',
    'Set min-replicas-to-write 1 and min-replicas-max-lag 10 on each server.'
  )
}

const failoverFence: Check<RedisFacts> = ({ config }) => {
  const { error, warning } = finder('FAILOVER_FENCE')
  const fenceMs = config.revocation.failoverFenceMs
  if (!canFailOver(config) || fenceMs >= 10_000) return undefined
  const advice = 'Leave FAILOVER_FENCE at 10s, or set it to min-replicas-max-lag at least.'
  return fenceMs === 0
    ? error('Redis can fail over, and nothing waits for a deposed primary to notice.', advice)
    : warning(
        `A deposed primary of Redis has ${fenceMs} ms to notice, less than min-replicas-max-lag usually is.`,
        advice
      )
}

export const redisChecks = [
  eviction,
  persistence,
  failingPersistence,
  role,
  version,
  minReplicas,
  failoverFence
]
