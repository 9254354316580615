import type { Lifetime } from './lifetime.js'
import { eventually } from './eventually.js'
import { startRedis, type TestRedis } from './redis.js'
import { isInStep, replicationInfo, syncAtOnce } from './redis-replication.js'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js'

/** A primary with a replica, behind an address that can be led from one to the other. */
export interface RedisPair {
  readonly primary: TestRedis
  readonly replica: TestRedis
  readonly proxy: TcpProxy
  /** Of the address: at first it leads to the primary. */
  readonly url: string
  /** Between the two servers. */
  readonly link: TcpProxy
}

export async function startRedisPair(t: Lifetime): Promise<RedisPair> {
  const primary = await startRedis(t, { args: syncAtOnce })
  const replica = await startRedis(t, { args: syncAtOnce })
  const proxy = await startTcpProxy(t, primary.port)
  const link = await startTcpProxy(t, primary.port)
  await follow(replica, link)
  return { primary, replica, proxy, link, url: `redis://127.0.0.1:${proxy.port}` }
}

/** Makes `follower` a replica; done when it is in step. */
export async function follow(follower: TestRedis, leader: { port: number }): Promise<void> {
  await follower.cli('REPLICAOF', '127.0.0.1', leader.port)
  await eventually('the replica is in step', () => isInStep(follower))
}

export async function promote(replica: TestRedis): Promise<void> {
  await replica.cli('REPLICAOF', 'NO', 'ONE')
}

/** Done when `replica` has all that `primary` wrote so far. */
export async function inStep({ primary, replica }: RedisPair): Promise<void> {
  const offset = await offsetOf(primary)
  await eventually('the replica has caught up', async () => (await offsetOf(replica)) >= offset)
}

async function offsetOf(server: TestRedis): Promise<number> {
  return Number(await replicationInfo(server, 'master_repl_offset'))
}
