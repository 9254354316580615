import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import Type from 'typebox'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { parseAnswer, startHttpApp } from '../support/http-app.js'
import { assertProblem, readAnswer } from '../support/problem-assertions.js'

const routes = (app: FastifyInstance): void => {
  app.post('/echo', async ({ body }) => ({ body: body ?? null }))
}

const send = async (url: string, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  await readAnswer(
    await fetch(`${url}/echo`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body
    })
  )

t.test('bodies that parsers could read differently are refused', async (t) => {
  const { url } = await startHttpApp(t, { routes })
  const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)
  const refused: Record<string, string | Uint8Array> = {
    'no JSON': '{',
    'more than one value': '{}{}',
    'single quotes': "{'a':1}",
    'a byte order mark': '\uFEFF{}',
    'a raw NUL': '{"a":"\0"}',
    'an escaped NUL': String.raw`{"a":"x\u0000y"}`,
    'NUL in a name': String.raw`{"a\u0000":1}`,
    'NUL deep inside': String.raw`{"a":[{"b":["\u0000"]}]}`,
    'an unpaired surrogate': String.raw`{"a":"\ud800"}`,
    'invalid UTF-8': bytes(0x22, 0xff, 0x22),
    'overlong UTF-8': bytes(0x22, 0xc0, 0xae, 0x22),
    'UTF-16': bytes(0xff, 0xfe, 0x7b, 0, 0x7d, 0),
    'a repeated name': '{"a":1,"a":2}',
    'a repeated name in disguise': String.raw`{"a":1,"\u0061":2}`,
    'a prototype': '{"__proto__":{"isAdmin":true}}',
    'a prototype in disguise': String.raw`{"a":{"\u005f_proto__":1}}`,
    'a constructor': '{"constructor":{"prototype":{"isAdmin":true}}}',
    'deep nesting': `${'['.repeat(33)}${']'.repeat(33)}`,
    'very deep nesting': `${'['.repeat(8000)}${']'.repeat(8000)}`
  }
  for (const [what, body] of Object.entries(refused)) {
    t.comment(what)
    assertProblem(t, await send(url, body), 'MALFORMED_BODY')
  }
  assertProblem(t, await send(url, ''), 'MALFORMED_BODY')
})

t.test('bodies that only look suspicious are taken as they are', async (t) => {
  const { url } = await startHttpApp(t, { routes })
  const taken = [
    String.raw`{"a":"a backslash and u0000: \\u0000"}`,
    '{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}',
    '{"a":"b","b":"a","c":"{\\"a\\":1,\\"a\\":2}"}',
    String.raw`{"a":"\ud83d\ude00 and 😀"}`,
    '{"a":"__proto__","b":["constructor"]}',
    `${'['.repeat(32)}${']'.repeat(32)}`,
    '"text"',
    '0',
    ' {} '
  ]
  for (const body of taken) {
    const answer = await send(url, body)
    t.equal(answer.status, 200, body)
    t.equal(answer.body, JSON.stringify({ body: JSON.parse(body) as unknown }))
  }
})

t.test('only JSON is read, and only as it is', async (t) => {
  const { url } = await startHttpApp(t, { routes })
  const types = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'application/json garbage',
    'application/json\ta',
    'json',
    '*/*'
  ]
  for (const type of types) {
    assertProblem(t, await send(url, '{}', { 'content-type': type }), 'UNSUPPORTED_MEDIA_TYPE')
  }
  t.equal(
    (await send(url, '{}', { 'content-type': 'Application/JSON; charset=utf-8' })).status,
    200
  )
  const untyped = await fetch(`${url}/echo`, { method: 'POST', body: new Uint8Array([0x7b, 0x7d]) })
  assertProblem(t, await readAnswer(untyped), 'UNSUPPORTED_MEDIA_TYPE')

  for (const encoding of ['gzip', 'identity, gzip', 'x']) {
    const answer = await send(url, '{}', { 'content-encoding': encoding })
    assertProblem(t, answer, 'UNSUPPORTED_MEDIA_TYPE')
    t.equal(answer.headers.get('accept-encoding'), 'identity')
  }
  t.equal((await send(url, '{}', { 'content-encoding': 'Identity' })).status, 200)
})

t.test('a body that is too large is refused, announced or not', async (t) => {
  const { url, port } = await startHttpApp(t, { routes })
  const fits = JSON.stringify('x'.repeat(16 * 1024 - 2))
  t.equal((await send(url, fits)).status, 200)
  assertProblem(t, await send(url, JSON.stringify('x'.repeat(16 * 1024 - 1))), 'BODY_TOO_LARGE')

  const socket = connect(port, '127.0.0.1')
  socket.write(
    'POST /echo HTTP/1.1\r\nHost: keycard.test\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'
  )
  const chunk = `4000\r\n${'1'.repeat(0x4000)}\r\n`
  socket.write(chunk.repeat(64))
  const received = text(socket)
  await once(socket, 'readable')
  assertProblem(t, parseAnswer(await received), 'BODY_TOO_LARGE')
})

t.test('a route may have a limit of its own', async (t) => {
  const { url } = await startHttpApp(t, {
    routes: (app) => {
      app.post('/echo', { bodyLimit: 10, schema: { body: Type.Unknown() } }, async () => 'ok')
    }
  })
  assertProblem(t, await send(url, JSON.stringify('x'.repeat(10))), 'BODY_TOO_LARGE')
})
