import { once } from 'node:events'
import { connect } from 'node:net'
import type { Test } from 'tap'
import { parseAnswer, type RawAnswer } from './http-app.js'

/** One TCP connection, on which a test sends bytes when and how it likes. */
export interface RawConnection {
  readonly write: (text: string) => void
  /** The next answer on it, a 100 Continue included. @throws where the server ends it instead */
  readonly answer: () => Promise<RawAnswer>
  /** Sends a whole request with these headers, and reads its answer. */
  readonly ask: (line: string, ...headers: string[]) => Promise<RawAnswer>
  /** Resolves when the server has ended it. */
  readonly ended: Promise<void>
}

export async function openConnection(t: Test, port: number): Promise<RawConnection> {
  const socket = connect({ host: '127.0.0.1', port })
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  let received = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    received += chunk
  })
  // A reset is an end, too.
  socket.on('error', () => undefined)
  const ended = once(socket, 'close').then(() => undefined)

  async function answer(): Promise<RawAnswer> {
    for (;;) {
      const length = answerLength(received)
      if (length !== undefined) {
        const text = received.slice(0, length)
        received = received.slice(length)
        return parseAnswer(text)
      }
      if (socket.closed) throw new Error(`The connection ended after ${JSON.stringify(received)}`)
      await Promise.race([once(socket, 'data'), ended])
    }
  }

  const write = (text: string) => {
    socket.write(text, 'latin1')
  }
  return {
    write,
    answer,
    ask: async (line, ...headers) => {
      write(head(line, ...headers))
      return await answer()
    },
    ended
  }
}

/** The head of an HTTP/1.1 request with a Host. */
export function head(line: string, ...headers: string[]): string {
  return [`${line} HTTP/1.1`, 'Host: keycard.test', ...headers, '', ''].join('\r\n')
}

/** How long the first answer in `received` is; undefined while it is not complete. */
function answerLength(received: string): number | undefined {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const length = /^content-length: (\d+)/im.exec(received.slice(0, end))?.[1] ?? '0'
  const total = end + 4 + Number(length)
  return received.length < total ? undefined : total
}
