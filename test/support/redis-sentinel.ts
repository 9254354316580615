import type { Test } from 'tap'
import { eventually } from './eventually.js'
import { startRedis, type TestRedis } from './redis.js'
import { isInStep, replicationInfo, syncAtOnce } from './redis-replication.js'

/** A primary with two replicas that take writes only with a replica in reach, and three sentinels. */
export interface TestSentinels {
  /** For REDIS_URL. */
  readonly url: string
  readonly servers: readonly TestRedis[]
  readonly sentinels: readonly TestRedis[]
  /** The one that the sentinels name. */
  readonly primary: () => Promise<TestRedis>
  /** One of the others that answers. */
  readonly replica: () => Promise<TestRedis>
  /** Done when the sentinels name another primary than that, and it takes writes. */
  readonly successorOf: (deposed: TestRedis) => Promise<TestRedis>
  /** Replaces a primary that is well, and that is told of it only some seconds later. → the new one */
  readonly failover: () => Promise<TestRedis>
  /** From now on nobody tells a deposed primary that it is one. */
  readonly neglect: () => Promise<void>
}

const name = 'keycard'
const withinMs = 30_000

const careful = ['--min-replicas-to-write', '1', '--min-replicas-max-lag', '3']

// What sentinels do once in some seconds, they do all the time here.
const haste = ['info-period', 250, 'publish-period', 500, 'ping-period', 200]
const settings = ['down-after-milliseconds', 700, 'failover-timeout', 2000, 'parallel-syncs', 2]

export async function startSentinel(t: Test): Promise<TestSentinels> {
  const [servers, sentinels] = await Promise.all([
    startThree(() => startRedis(t, { args: [...syncAtOnce, ...careful] })),
    startThree(() => startRedis(t, { kind: 'sentinel' }))
  ])
  const [first, ...others] = servers
  await Promise.all(others.map((server) => server.cli('REPLICAOF', '127.0.0.1', first.port)))
  await eventually('the replicas are in step', async () => await all(others, isInStep))
  await Promise.all(sentinels.map((sentinel) => watch(sentinel, first)))
  await eventually('the sentinels know all', async () => await all(sentinels, knowsAll), {
    withinMs
  })

  const awake = () => sentinels.filter((sentinel) => sentinel.answers())

  async function primary(): Promise<TestRedis> {
    const named = await Promise.all(awake().map(namedPrimary))
    const [port] = named
    const server = servers.find((candidate) => candidate.port === port)
    if (server === undefined || named.some((other) => other !== port)) {
      throw new Error(`The sentinels name different primaries: ${named.join(', ')}`)
    }
    return server
  }

  async function successorOf(deposed: TestRedis): Promise<TestRedis> {
    return await eventually(
      'another primary takes writes',
      async () => {
        const successor = await primary()
        return successor !== deposed && (await takesWrites(successor)) && successor
      },
      { withinMs }
    )
  }

  return {
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')}/${name}`,
    servers,
    sentinels,
    primary,
    async replica() {
      const known = await primary()
      const replica = servers.find((server) => server !== known && server.answers())
      if (replica === undefined) throw new Error('No replica answers')
      return replica
    },
    successorOf,
    async failover() {
      const deposed = await primary()
      await eventually('a failover begins', async () => {
        return await awake()[0]?.cli('SENTINEL', 'FAILOVER', name)
      })
      return await successorOf(deposed)
    },
    async neglect() {
      // They wait for four of these periods.
      const never = ['publish-period', 3_600_000]
      await Promise.all(awake().map((sentinel) => sentinel.cli('SENTINEL', 'DEBUG', ...never)))
    }
  }
}

async function startThree(start: () => Promise<TestRedis>) {
  return await Promise.all([start(), start(), start()])
}

async function watch(sentinel: TestRedis, { port }: TestRedis): Promise<void> {
  await sentinel.cli('SENTINEL', 'DEBUG', ...haste)
  await sentinel.cli('SENTINEL', 'MONITOR', name, '127.0.0.1', port, 2)
  await sentinel.cli('SENTINEL', 'SET', name, ...settings)
}

async function knowsAll(sentinel: TestRedis): Promise<boolean> {
  const facts = (await sentinel.cli('SENTINEL', 'MASTER', name)) as string[]
  const fact = (label: string) => facts[facts.indexOf(label) + 1]
  return (
    fact('flags') === 'master' && fact('num-slaves') === '2' && fact('num-other-sentinels') === '2'
  )
}

async function namedPrimary(sentinel: TestRedis): Promise<number> {
  const address = await sentinel.cli('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name)
  return Array.isArray(address) ? Number(address[1]) : Number.NaN
}

async function takesWrites(server: TestRedis): Promise<boolean> {
  const role = await replicationInfo(server, 'role')
  return role === 'master' && (await replicationInfo(server, 'min_slaves_good_slaves')) !== '0'
}

async function all(
  servers: readonly TestRedis[],
  holds: (server: TestRedis) => Promise<boolean>
): Promise<boolean> {
  return (await Promise.all(servers.map(holds))).every(Boolean)
}
