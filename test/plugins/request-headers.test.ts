import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { sendRaw, startHttpApp } from '../support/http-app.js'
import { assertProblem } from '../support/problem-assertions.js'

const routes = (app: FastifyInstance): void => {
  app.get('/things/:id', async () => 'ok')
  app.post('/things', async () => 'ok')
}

const head = (...lines: string[]): string => [...lines, 'Connection: close', '', ''].join('\r\n')

t.test('a header with one value must come once', async (t) => {
  const { port } = await startHttpApp(t, { routes })
  const repeated: Record<string, string> = {
    host: head('GET /things/1 HTTP/1.1', 'Host: a.test', 'Host: b.test'),
    authorization: head(
      'GET /things/1 HTTP/1.1',
      'Host: a',
      'Authorization: Bearer a',
      'authorization: Bearer b'
    ),
    'content-type': `${head('POST /things HTTP/1.1', 'Host: a', 'Content-Type: application/json', 'Content-Type: text/plain', 'Content-Length: 2')}{}`
  }
  for (const [name, bytes] of Object.entries(repeated)) {
    const document = assertProblem(t, await sendRaw(port, bytes), 'BAD_REQUEST')
    t.match(document['detail'], name)
  }
})

t.test('Host is required since HTTP/1.1', async (t) => {
  const { port } = await startHttpApp(t, { routes })
  assertProblem(t, await sendRaw(port, head('GET /things/1 HTTP/1.1')), 'BAD_REQUEST')
  t.equal((await sendRaw(port, head('GET /things/1 HTTP/1.0'))).status, 200)
})

t.test('NUL in a path or query is refused before anything sees it', async (t) => {
  const { port } = await startHttpApp(t, { routes })
  for (const target of ['/things/a%00b', '/things/a?q=%00', '/nowhere%00']) {
    const answer = await sendRaw(port, head(`GET ${target} HTTP/1.1`, 'Host: a'))
    assertProblem(t, answer, 'BAD_REQUEST')
  }
})
