import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { problem, type Problem } from '../problems.js'
import { problemAnswer } from './problem-document.js'
import { newRequestId } from './request-id.js'

/** How long a refused connection may go on sending before it is cut. */
const lingerMs = 500

const codesOfParser: Record<string, Parameters<typeof problem>[0]> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'REQUEST_TIMEOUT',
  HPE_HEADER_OVERFLOW: 'HEADERS_TOO_LARGE',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'BODY_TOO_LARGE'
}

/** Refusals of Node's HTTP server itself, before there is a request that Fastify could answer. */
export interface SocketAnswers {
  /** For 'clientError': what arrived is not HTTP/1.1, is too large or too slow. */
  clientError: (error: Error & { code?: string }, socket: Duplex) => void
  /** For 'connect': this is no proxy. */
  connect: (request: IncomingMessage, socket: Duplex) => void
  /** For 'checkExpectation': an Expect other than 100-continue (RFC 9110 §10.1.1). */
  expectation: (request: IncomingMessage, response: ServerResponse) => void
}

/**
 * @param baseHeaders what every answer carries
 * @param hasBegun whether an answer is already under way on this socket, which a second one would corrupt
 */
export function createSocketAnswers(
  baseHeaders: Readonly<Record<string, string>>,
  hasBegun: (socket: Duplex) => boolean
): SocketAnswers {
  const headersOf = (answer: ReturnType<typeof problemAnswer>): Record<string, string> => ({
    ...baseHeaders,
    ...answer.headers,
    'content-length': String(answer.body.length),
    connection: 'close'
  })

  const refuse = (socket: Duplex, refusal: Problem): void => {
    const answer = problemAnswer(refusal, newRequestId())
    const lines = Object.entries(headersOf(answer)).map(([name, value]) => `${name}: ${value}\r\n`)
    const head = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n`
    socket.end(Buffer.concat([Buffer.from(`${head}${lines.join('')}\r\n`), answer.body]))
    lingerThenDestroy(socket)
  }

  return {
    clientError(error, socket) {
      const unreachable = error.code === 'ECONNRESET' || error.code === 'EPIPE'
      if (socket.writableEnded) return
      if (unreachable || !socket.writable || hasBegun(socket)) socket.destroy()
      else refuse(socket, problem(codesOfParser[error.code ?? ''] ?? 'BAD_REQUEST'))
    },
    connect(_request, socket) {
      // An empty Allow says that the target allows no method at all (RFC 9110 §10.2.1).
      refuse(socket, problem('METHOD_NOT_ALLOWED', { headers: { allow: '' } }))
    },
    expectation(_request, response) {
      const answer = problemAnswer(problem('EXPECTATION_FAILED'), newRequestId())
      response.writeHead(answer.status, headersOf(answer)).end(answer.body)
    }
  }
}

/** Closing at once with input unread resets the connection, and the client may lose the answer. */
function lingerThenDestroy(socket: Duplex): void {
  socket.on('error', () => socket.destroy())
  socket.resume()
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('close', () => clearTimeout(timer))
}
