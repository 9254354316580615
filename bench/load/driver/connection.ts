import { connect, type Socket } from 'node:net'

/** Where requests go. */
export interface Target {
  readonly host: string
  readonly port: number
}

/** Status 0: the connection ended before there was an answer. */
export interface RawAnswer {
  readonly status: number
  readonly body: string
}

/** A connection that carries one request at a time, and is opened again when it was closed. */
export interface Connection {
  readonly target: Target
  readonly send: (request: Buffer, done: (answer: RawAnswer) => void) => void
  /** What is under way has failed then. */
  readonly close: () => void
}

const failed: RawAnswer = { status: 0, body: '' }
const contentLength = /\r\ncontent-length: *(\d+)/i
const chunked = /\r\ntransfer-encoding: *chunked/i

/**
 * As little of an HTTP/1.1 client as a load needs (RFC 9112): it takes a third of the time that Node's own
 * takes, so that on a machine with two cores it is not the client that is measured.
 */
export function openConnection(target: Target): Connection {
  const { host, port } = target
  let socket: Socket | undefined
  let received = ''
  let waiting: ((answer: RawAnswer) => void) | undefined

  function finish(answer: RawAnswer): void {
    const done = waiting
    waiting = undefined
    received = ''
    done?.(answer)
  }

  function opened(): Socket {
    const fresh = connect({ host, port, noDelay: true })
    fresh.setEncoding('latin1')
    fresh.on('data', (part: string) => {
      received += part
      const answer = readAnswer(received)
      if (answer !== undefined) finish(answer)
    })
    fresh.on('error', () => undefined)
    fresh.once('close', () => {
      if (socket !== fresh) return
      socket = undefined
      if (waiting !== undefined) finish(failed)
    })
    return fresh
  }

  return {
    target,
    send(request, done) {
      waiting = done
      socket ??= opened()
      socket.write(request)
    },
    close() {
      socket?.destroy()
      socket = undefined
      if (waiting !== undefined) finish(failed)
    }
  }
}

/** One request on a connection of its own. Times are milliseconds of `performance.now()`. */
export async function sendOnce(
  target: Target,
  request: Buffer
): Promise<RawAnswer & { readonly sentAt: number; readonly receivedAt: number }> {
  const connection = openConnection(target)
  const sentAt = performance.now()
  const answer = await new Promise<RawAnswer>((resolve) => connection.send(request, resolve))
  connection.close()
  return { ...answer, sentAt, receivedAt: performance.now() }
}

/** Undefined while it is not whole. */
function readAnswer(text: string): RawAnswer | undefined {
  const headEnd = text.indexOf('\r\n\r\n')
  if (headEnd === -1) return undefined
  const status = Number(text.slice(9, 12))
  const bodyStart = headEnd + 4
  if (status === 204 || status === 304) return { status, body: '' }
  const head = text.slice(0, headEnd)
  const length = contentLength.exec(head)?.[1]
  if (length !== undefined) {
    const bodyEnd = bodyStart + Number(length)
    return text.length < bodyEnd ? undefined : { status, body: text.slice(bodyStart, bodyEnd) }
  }
  if (!chunked.test(head)) return { status, body: '' }
  return text.endsWith('0\r\n\r\n') ? { status, body: unchunked(text.slice(bodyStart)) } : undefined
}

function unchunked(text: string): string {
  let body = ''
  for (let at = 0; at < text.length;) {
    const sizeEnd = text.indexOf('\r\n', at)
    const size = parseInt(text.slice(at, sizeEnd), 16)
    if (!(size > 0)) break
    body += text.slice(sizeEnd + 2, sizeEnd + 2 + size)
    at = sizeEnd + 2 + size + 2
  }
  return body
}

/** The bytes of a request. `body` is sent as JSON. */
export function requestBytes(request: {
  readonly method?: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}): Buffer {
  const { method = 'GET', path, headers = {}, body } = request
  const content = body === undefined ? '' : JSON.stringify(body)
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(content === '' ? [] : ['Content-Type: application/json']),
    ...(method === 'GET' ? [] : [`Content-Length: ${Buffer.byteLength(content)}`])
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${content}`)
}
