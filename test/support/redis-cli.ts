import { Redis } from 'ioredis'

/** One command on a connection of its own, like redis-cli. It waits as long as the server does. */
export async function redisCli(
  port: number,
  command: string,
  ...args: (string | number)[]
): Promise<unknown> {
  const client = new Redis({
    host: '127.0.0.1',
    port,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    lazyConnect: true
  })
  // What fails is told by the command's own promise.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await client.call(command, ...args)
  } finally {
    client.disconnect()
  }
}
