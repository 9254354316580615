import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Lifetime } from './lifetime.js'

/** A stable address in front of servers that come and go, as a virtual address or a proxy is. */
export interface TcpProxy {
  readonly port: number
  /** New connections lead to this port from now on; those that stand are left alone. */
  readonly retarget: (port: number) => void
  /** Ends every connection that stands, and new ones at once until it is retargeted. */
  readonly cut: () => void
  /** Holds everything up by so much from now on, in either direction and in order. */
  readonly delay: (ms: number) => void
}

/** Passes connections on to `port` on this machine, until `t` ends. */
export async function startTcpProxy(t: Lifetime, port: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let delayMs = 0
  let target: number | undefined = port

  function adopt(socket: Socket): void {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    // A connection that is refused or reset looks to the other side like one that ends.
    socket.on('error', () => undefined)
  }

  function pass(from: Socket, to: Socket): void {
    let passed = Promise.resolve()
    from.on('data', (chunk) => {
      const dueAt = performance.now() + delayMs
      passed = passed.then(async () => {
        const leftMs = dueAt - performance.now()
        if (leftMs > 0) await pause(leftMs)
        to.write(chunk)
      })
    })
  }

  const server = createServer((incoming) => {
    if (target === undefined) {
      incoming.destroy()
      return
    }
    const outgoing = connect(target, '127.0.0.1')
    adopt(incoming)
    adopt(outgoing)
    incoming.on('close', () => outgoing.destroy())
    outgoing.on('close', () => incoming.destroy())
    pass(incoming, outgoing)
    pass(outgoing, incoming)
  })
  const cut = () => {
    target = undefined
    for (const socket of sockets) socket.destroy()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    cut()
    server.close()
    await once(server, 'close')
  })
  return {
    port: (server.address() as AddressInfo).port,
    retarget: (next) => {
      target = next
    },
    cut,
    delay: (ms) => {
      delayMs = ms
    }
  }
}
