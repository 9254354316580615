import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { freePort } from '../../src/embedded/free-port.js'

/** Beyond it begin the ports of outgoing connections. */
const lastPort = 32_767

/**
 * A TCP port of 127.0.0.1 that no other test is given before this process ends, nor the one behind it:
 * a server that is killed on it can come back, and a node of a Redis Cluster has its bus there.
 */
export async function ownPort(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (port === lastPort) continue
    const holder = await claim(port)
    if (holder === undefined) continue
    if ((await claim(port + 1)) !== undefined) return port
    holder.close()
  }
}

/**
 * Of a port whose server is away TCP knows nothing. So its number is held in UDP, where nobody
 * listens and where the kernel gives it back whatever this process dies of.
 *
 * @returns undefined where another process holds it
 */
async function claim(port: number): Promise<Socket | undefined> {
  const holder = createSocket('udp4')
  try {
    holder.bind({ port, address: '127.0.0.1', exclusive: true })
    await once(holder, 'listening')
    return holder.unref()
  } catch (error) {
    holder.close()
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined
    throw error
  }
}
