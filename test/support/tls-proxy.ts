import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { TLSSocket } from 'node:tls'
import type { Test } from 'tap'

const file = (name: string): string =>
  fileURLToPath(new URL(`certificate/${name}`, import.meta.url))

/** For localhost and 127.0.0.1, signed by itself: who is to trust it gets it as its own authority. */
export const certificateFile = file('localhost.cert.pem')
const cert = readFileSync(certificateFile)
const key = readFileSync(file('localhost.key.pem'))

/** The answer of Postgres to a client that asks for TLS on its plain port. */
const willing = 'S'

/**
 * Speaks TLS on a free port in front of the server on `port` of this machine, for `t`. With
 * `startTls` a client asks for it first, as Postgres's protocol has it. @returns its port
 */
export async function startTlsProxy(
  t: Test,
  port: number,
  { startTls = false }: { startTls?: boolean } = {}
): Promise<number> {
  const sockets = new Set<Socket>()
  const proxy = createServer((raw) => {
    sockets.add(raw.on('error', () => undefined))
    if (!startTls) relay(raw, port)
    else {
      raw.once('data', () => {
        raw.write(willing)
        relay(raw, port)
      })
    }
  })
  await listening(proxy)
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  return (proxy.address() as AddressInfo).port
}

function relay(raw: Socket, port: number): void {
  const client = new TLSSocket(raw, { isServer: true, cert, key })
  const server = connect(port, '127.0.0.1')
  // A client that does not trust us hangs up; either end takes the other along.
  client.on('error', () => server.destroy())
  server.on('error', () => client.destroy())
  client.on('close', () => server.destroy())
  client.pipe(server).pipe(client)
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
}
