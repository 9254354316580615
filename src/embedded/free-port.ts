import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

// Below what systems hand to outgoing connections: while a server on such a port is away, no client
// that tries to reach it can be given that very port as its own, and so keep it from coming back.
const firstPort = 10_240
const lastPort = 32_767

/**
 * A TCP port of 127.0.0.1 that nothing listens on now. Another program may take it before the
 * caller does: whoever uses it must be ready to ask for another one.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(firstPort, lastPort + 1)
    if (await canListen(port)) return port
  }
  throw new Error(`No free TCP port between ${firstPort} and ${lastPort}`)
}

async function canListen(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    server.close()
    await once(server, 'close')
    return true
  } catch {
    return false
  }
}
