import type { TestRedis } from './redis.js'

/** A primary waits this long for further replicas before it sends its data: seconds, 5 by default. */
export const syncAtOnce = ['--repl-diskless-sync-delay', '0'] as const

/** One line of `INFO replication`. */
export async function replicationInfo(server: TestRedis, name: string): Promise<string> {
  const info = String(await server.cli('INFO', 'replication'))
  return new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1] ?? ''
}

export async function isInStep(replica: TestRedis): Promise<boolean> {
  return (await replicationInfo(replica, 'master_link_status')) === 'up'
}
