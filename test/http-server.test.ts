import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { eventually } from './support/eventually.js'
import { parseAnswer, sendRaw, startHttpApp } from './support/http-app.js'
import { assertProblem } from './support/problem-assertions.js'

const request = (line: string, ...headers: string[]): string =>
  [line, 'Host: keycard.test', ...headers, '', ''].join('\r\n')

t.test('what is no HTTP/1.1 request is answered with a problem', async (t) => {
  const { port } = await startHttpApp(t, {
    routes: (app) => {
      app.post('/things', async () => 'ok')
    }
  })
  const chunked = request('POST /things HTTP/1.1', 'Transfer-Encoding: chunked')
  const malformed: Record<string, string> = {
    'an unknown method': request('FROB / HTTP/1.1'),
    'an unknown version': request('GET / HTTP/3.0'),
    'a TLS hello': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'the HTTP/2 preface': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    'a space before the colon': request('GET / HTTP/1.1', 'X-Thing : 1'),
    'a folded header': request('GET / HTTP/1.1', 'X-Thing: 1\r\n 2'),
    'two lengths': request('POST /things HTTP/1.1', 'Content-Length: 1', 'Content-Length: 2'),
    'a signed length': request('POST /things HTTP/1.1', 'Content-Length: +5'),
    'a length and chunks': `${request('POST /things HTTP/1.1', 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
    'a chunk size that is no number': `${chunked}zz\r\n`,
    'a bare line feed': 'GET / HTTP/1.1\nHost: keycard.test\n\n',
    'NUL in a header': request('GET / HTTP/1.1', 'X-Thing: \0')
  }
  for (const [what, bytes] of Object.entries(malformed)) {
    const answer = await sendRaw(port, bytes)
    t.comment(what)
    assertProblem(t, answer, 'BAD_REQUEST')
    t.equal(answer.headers.get('connection'), 'close')
    t.equal(Number(answer.headers.get('content-length')), Buffer.byteLength(answer.body))
  }
})

t.test('headers beyond the limit are 431, a URL beyond it as well', async (t) => {
  const { port } = await startHttpApp(t)
  const padding = 'x'.repeat(20_000)
  assertProblem(
    t,
    await sendRaw(port, request('GET / HTTP/1.1', `X-Thing: ${padding}`)),
    'HEADERS_TOO_LARGE'
  )
  assertProblem(t, await sendRaw(port, request(`GET /${padding} HTTP/1.1`)), 'HEADERS_TOO_LARGE')
})

t.test('chunk extensions beyond the limit are 413', async (t) => {
  const { port } = await startHttpApp(t, {
    routes: (app) => {
      app.post('/things', async () => 'ok')
    }
  })
  const head = request(
    'POST /things HTTP/1.1',
    'Content-Type: application/json',
    'Transfer-Encoding: chunked'
  )
  const answer = await sendRaw(port, `${head}2;${'x'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`)
  assertProblem(t, answer, 'BODY_TOO_LARGE')
})

t.test('a request that does not arrive in time is 408', async (t) => {
  const bounds = { headersTimeoutMs: 100, requestTimeoutMs: 200, timeoutCheckMs: 20 }
  const { port } = await startHttpApp(t, {
    bounds,
    routes: (app) => {
      app.post('/things', async () => 'ok')
    }
  })
  assertProblem(t, await sendRaw(port, 'GET / HTTP/1.1\r\nHost: key'), 'REQUEST_TIMEOUT')
  const body = request(
    'POST /things HTTP/1.1',
    'Content-Type: application/json',
    'Content-Length: 9'
  )
  assertProblem(t, await sendRaw(port, `${body}{`), 'REQUEST_TIMEOUT')
})

t.test('an expectation other than 100-continue is 417', async (t) => {
  const { port } = await startHttpApp(t)
  const answer = await sendRaw(
    port,
    request('POST / HTTP/1.1', 'Expect: a-miracle', 'Content-Length: 2')
  )
  assertProblem(t, answer, 'EXPECTATION_FAILED')
  t.equal(answer.headers.get('connection'), 'close')
})

t.test('a handler that does not come to an end is 503', async (t) => {
  const { port } = await startHttpApp(t, {
    bounds: { handlerTimeoutMs: 50 },
    routes: (app) => {
      app.get('/never', () => new Promise(() => undefined))
    }
  })
  const answer = await sendRaw(port, request('GET /never HTTP/1.1', 'Connection: close'))
  assertProblem(t, answer, 'OVERLOADED')
})

t.test('what a handler says too late is not said, and what it has begun is cut off', async (t) => {
  let release = (): void => undefined
  const late = new Promise<string>((resolve) => {
    release = () => resolve('too late')
  })
  const { port } = await startHttpApp(t, {
    bounds: { handlerTimeoutMs: 50 },
    routes: (app) => {
      app.get('/late', () => late)
      app.get('/fails', () => late.then(() => Promise.reject(new Error('late'))))
      app.get('/begun', (_request, reply) => {
        reply.raw.writeHead(200, { 'content-length': 10 })
        reply.raw.write('half:')
      })
    }
  })
  const get = (path: string) => sendRaw(port, request(`GET ${path} HTTP/1.1`, 'Connection: close'))
  const answers = await Promise.all([get('/late'), get('/fails'), get('/begun')])
  const [refused, failed, begun] = answers
  assertProblem(t, refused, 'OVERLOADED')
  assertProblem(t, failed, 'OVERLOADED')
  t.match(begun, { status: 200, body: 'half:' })
  release()
  t.equal((await get('/late')).body, 'too late')
})

t.test('of a request that was broken off no deadline is left', async (t) => {
  const timers = () => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length
  let asked = (): void => undefined
  const { port } = await startHttpApp(t, {
    bounds: { handlerTimeoutMs: 600_000 },
    routes: (app) => {
      app.get('/never', () => {
        asked()
        return new Promise(() => undefined)
      })
    }
  })
  const before = timers()
  const socket = connect(port, '127.0.0.1')
  const arrived = new Promise<void>((resolve) => {
    asked = resolve
  })
  socket.write(request('GET /never HTTP/1.1'))
  await arrived
  t.equal(timers(), before + 1)
  socket.destroy()
  await eventually('it is cleared', () => timers() === before)
})

t.test('CONNECT is refused: this is no proxy', async (t) => {
  const { port } = await startHttpApp(t)
  const answer = await sendRaw(port, request('CONNECT example.org:443 HTTP/1.1'))
  assertProblem(t, answer, 'METHOD_NOT_ALLOWED')
  t.equal(answer.headers.get('allow'), '')
})

t.test('URLs that the router cannot read are problems', async (t) => {
  const { port } = await startHttpApp(t, {
    routes: (app) => {
      app.get('/things/:id', async () => 'ok')
    }
  })
  const close = 'Connection: close'
  assertProblem(t, await sendRaw(port, request('GET /%zz HTTP/1.1', close)), 'BAD_REQUEST')
  const long = `/things/${'x'.repeat(101)}`
  assertProblem(t, await sendRaw(port, request(`GET ${long} HTTP/1.1`, close)), 'URI_TOO_LONG')
  for (const target of ['*', 'ftp:x', '?']) {
    const answer = await sendRaw(port, request(`OPTIONS ${target} HTTP/1.1`, close))
    t.equal(answer.headers.get('content-type'), 'application/problem+json', target)
  }
})

t.test('an error while an answer is under way only cuts the connection', async (t) => {
  const { port } = await startHttpApp(t, {
    routes: (app) => {
      app.get('/slow', (_request, reply) => {
        reply.hijack()
        reply.raw.writeHead(200, { 'content-length': 10 })
        reply.raw.write('half:')
      })
      app.get('/waiting', () => new Promise(() => undefined))
    }
  })
  for (const next of ['', request('GET /waiting HTTP/1.1')]) {
    const received = await converse(
      port,
      request('GET /slow HTTP/1.1'),
      'half:',
      `${next}garbage\r\n\r\n`
    )
    t.ok(received.endsWith('\r\n\r\nhalf:'))
  }
})

t.test('an error after an answer on the same connection is answered', async (t) => {
  const { port } = await startHttpApp(t)
  const received = await converse(port, request('GET /a HTTP/1.1'), 'NOT_FOUND', 'garbage\r\n\r\n')
  t.equal(parseAnswer(received).status, 404)
  t.match(received, /HTTP\/1\.1 400 Bad Request/)
})

/** Sends `first`, and `second` as soon as `awaited` has come back; returns all that came. */
async function converse(
  port: number,
  first: string,
  awaited: string,
  second: string
): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  socket.write(first)
  let received = ''
  socket.on('data', (chunk: string) => {
    const hadCome = received.includes(awaited)
    received += chunk
    if (!hadCome && received.includes(awaited)) socket.write(second)
  })
  await once(socket, 'close')
  return received
}

t.test('a client that goes away in the middle disturbs nobody', async (t) => {
  const { port } = await startHttpApp(t, {
    routes: (app) => {
      app.post('/things', async () => 'ok')
    }
  })
  const head = request(
    'POST /things HTTP/1.1',
    'Content-Type: application/json',
    'Content-Length: 9'
  )
  const socket = connect(port, '127.0.0.1')
  socket.write(`${head}{`)
  await new Promise((resolve) => socket.once('connect', resolve))
  socket.resetAndDestroy()
  assertProblem(t, await sendRaw(port, request('GET / HTTP/1.1', 'Connection: close')), 'NOT_FOUND')
})

t.test('every answer has an id that the client cannot choose', async (t) => {
  const { port } = await startHttpApp(t)
  const ask = () =>
    sendRaw(
      port,
      request('GET / HTTP/1.1', 'X-Request-Id: mine', 'Request-Id: mine', 'Connection: close')
    )
  const ids = [await ask(), await ask()].map(({ headers }) => headers.get('x-request-id'))
  t.match(ids[0], /^[0-9a-f-]{36}$/)
  t.not(ids[0], ids[1])
})

t.test(
  'the address of a client behind a trusted proxy comes from the proxy, otherwise not',
  async (t) => {
    const addresses: string[] = []
    const routes = (app: FastifyInstance) => {
      app.get('/ip', async ({ ip }) => {
        addresses.push(ip)
      })
    }
    const direct = await startHttpApp(t, { routes })
    const proxied = await startHttpApp(t, { routes, config: { trustProxy: ['127.0.0.0/8'] } })
    for (const { port } of [direct, proxied]) {
      await sendRaw(
        port,
        request('GET /ip HTTP/1.1', 'X-Forwarded-For: 6.6.6.6, 203.0.113.7', 'Connection: close')
      )
    }
    t.same(addresses, ['127.0.0.1', '203.0.113.7'])
  }
)

t.test('two requests in one packet are both answered', async (t) => {
  const { port } = await startHttpApp(t, {
    routes: (app) => {
      app.get('/a', async () => 'A')
    }
  })
  const socket = connect(port, '127.0.0.1')
  socket.write(request('GET /a HTTP/1.1') + request('GET /b HTTP/1.1', 'Connection: close'))
  const received = await text(socket)
  t.equal(parseAnswer(received).status, 200)
  t.match(received, /HTTP\/1\.1 404/)
})

t.test('whatever bytes arrive, the answer is a success or a problem', async (t) => {
  const { port } = await startHttpApp(t, {
    bounds: {
      headersTimeoutMs: 150,
      requestTimeoutMs: 200,
      timeoutCheckMs: 20,
      keepAliveTimeoutMs: 20
    },
    routes: (app) => {
      app.post('/things/:id', async () => 'ok')
    }
  })
  const good = `${request('POST /things/1?q=1 HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 7')}{"a":1}`
  const damage = fc.record({
    at: fc.nat(good.length),
    remove: fc.nat(6),
    insert: fc.oneof(
      fc.string({ unit: fc.nat(255).map((code) => String.fromCharCode(code)), maxLength: 6 }),
      fc.constantFrom(
        '\r\n',
        '\n',
        ' ',
        ':',
        '%',
        '{',
        '\0',
        'HTTP/1.0',
        'Transfer-Encoding: chunked\r\n'
      )
    )
  })
  const damaged = fc
    .array(damage, { minLength: 1, maxLength: 3 })
    .map((places) =>
      places.reduce(
        (text, { at, remove, insert }) => text.slice(0, at) + insert + text.slice(at + remove),
        good
      )
    )
  const check = async (bytes: string): Promise<void> => {
    const { status, headers } = await sendRaw(port, bytes)
    if (status === 200) return
    t.equal(headers.get('content-type'), 'application/problem+json', JSON.stringify(bytes))
  }
  // Side by side, because many are answered only when their time is up.
  const crowd = fc.array(damaged, { minLength: 60, maxLength: 60 })
  await fc.assert(
    fc.asyncProperty(crowd, async (all) => {
      await Promise.all(all.map(check))
    }),
    { numRuns: 4 }
  )
})
