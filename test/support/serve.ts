import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { Test } from 'tap'
import type { Target } from '../../bench/load/driver/connection.js'

/** A server that ends with the test. */
export async function serve(t: Test, listener: RequestListener): Promise<Target> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('It has no port')
  return { host: '127.0.0.1', port: address.port }
}
