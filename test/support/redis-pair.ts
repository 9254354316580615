import type { Test } from 'tap'
import { eventually } from './eventually.js'
import { startRedis, type TestRedis } from './redis.js'
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

// A primary waits this long for further replicas before it sends its data: seconds, 5 by default.
const atOnce = ['--repl-diskless-sync-delay', '0']

export async function startRedisPair(t: Test): Promise<RedisPair> {
  const primary = await startRedis(t, { args: atOnce })
  const replica = await startRedis(t, { args: atOnce })
  const proxy = await startTcpProxy(t, primary.port)
  const link = await startTcpProxy(t, primary.port)
  await follow(replica, link)
  return { primary, replica, proxy, link, url: `redis://127.0.0.1:${proxy.port}` }
}

/** Makes `follower` a replica; done when it is in step. */
export async function follow(follower: TestRedis, leader: { port: number }): Promise<void> {
  await follower.cli('REPLICAOF', '127.0.0.1', leader.port)
  await eventually('the replica is in step', async () =>
    String(await follower.cli('INFO', 'replication')).includes('master_link_status:up')
  )
}

export async function promote(replica: TestRedis): Promise<void> {
  await replica.cli('REPLICAOF', 'NO', 'ONE')
}

/** Done when `replica` has all that `primary` wrote so far. */
export async function inStep({ primary, replica }: RedisPair): Promise<void> {
  const offset = offsetOf(await primary.cli('INFO', 'replication'))
  await eventually(
    'the replica has caught up',
    async () => offsetOf(await replica.cli('INFO', 'replication')) >= offset
  )
}

function offsetOf(info: unknown): number {
  return Number(/master_repl_offset:(\d+)/.exec(String(info))?.[1])
}
