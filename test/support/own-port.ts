import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { freePort } from '../../src/embedded/free-port.js'

/**
 * A TCP port of 127.0.0.1 that no other test takes before this process ends, nor the one behind it:
 * a server that is killed on it can come back, and a node of a Redis Cluster has its bus there.
 */
export async function ownPort(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if ((await claim(port)) && (await claim(port + 1))) return port
  }
}

/**
 * Of a port whose server is away TCP knows nothing. So its number is held in UDP, where nobody
 * listens and where the kernel gives it back whatever this process dies of.
 *
 * @returns false where another process holds it
 */
async function claim(port: number): Promise<boolean> {
  const holder = createSocket('udp4')
  try {
    holder.bind({ port, address: '127.0.0.1', exclusive: true })
    await once(holder, 'listening')
    holder.unref()
    return true
  } catch {
    holder.close()
    return false
  }
}
