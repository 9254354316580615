import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** Which answers of each connection are not done; with pipelining there can be several. */
export interface ResponseRegister {
  add: (socket: Duplex, response: ServerResponse) => void
  /** Whether part of an answer has been sent and the rest has not. */
  hasBegun: (socket: Duplex) => boolean
}

export function createResponseRegister(): ResponseRegister {
  const open = new WeakMap<Duplex, Set<ServerResponse>>()
  return {
    add(socket, response) {
      const responses = open.get(socket) ?? new Set()
      open.set(socket, responses.add(response))
      response.once('close', () => responses.delete(response))
    },
    hasBegun(socket) {
      const responses = [...(open.get(socket) ?? [])]
      return responses.some(({ headersSent, writableEnded }) => headersSent && !writableEnded)
    }
  }
}
