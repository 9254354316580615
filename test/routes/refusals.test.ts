import t from 'tap'
import { documentedRoutes } from '../support/contract.js'
import { startKeycard } from '../support/keycard.js'
import { assertProblem } from '../support/problem-assertions.js'
import { head, openConnection } from '../support/raw-connection.js'
import type { ProblemCode } from '../../src/problems.js'

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

t.test('every route refuses other methods and says which it has', async (t) => {
  const keycard = await startKeycard(t)
  const routes = await documentedRoutes(keycard)
  for (const path of new Set(routes.map((route) => route.path))) {
    const documented = routes.filter((route) => route.path === path).map(({ method }) => method)
    const allowed = methods.filter(
      (method) => documented.includes(method) || (method === 'HEAD' && documented.includes('GET'))
    )
    const others = [...methods, 'OPTIONS', 'TRACE'].filter((method) => !allowed.includes(method))
    const connection = await openConnection(t, Number(new URL(keycard.url).port))
    for (const method of others.filter((name) => name !== 'HEAD')) {
      const answer = await connection.ask(`${method} ${path.replace('{id}', 'x')}`)
      t.comment(`${method} ${path}`)
      assertProblem(t, answer, 'METHOD_NOT_ALLOWED')
      t.equal(answer.headers.get('allow'), allowed.join(', '))
    }
  }
})

t.test('HEAD answers as GET without the body', async (t) => {
  const keycard = await startKeycard(t)
  const { accessToken: token } = await keycard.register()
  for (const [path, status] of [
    ['/health/live', 200],
    ['/.well-known/jwks.json', 200],
    ['/api/auth/me', 401],
    ['/api/auth/login', 405],
    ['/nothing', 404]
  ] as const) {
    const answer = await keycard.send('HEAD', path)
    t.equal(answer.status, status, path)
    t.equal(answer.text, '')
    t.ok(answer.headers.get('x-request-id'))
  }
  const [got, headed] = [
    await keycard.get('/api/auth/me', { token }),
    await keycard.send('HEAD', '/api/auth/me', { token })
  ]
  t.equal(headed.status, 200)
  for (const name of ['content-type', 'content-length', 'cache-control']) {
    t.equal(headed.headers.get(name), got.headers.get(name), name)
  }
})

const json = 'Content-Type: application/json'

t.test('what the socket, the router and the parser refuse are problems here, too', async (t) => {
  const keycard = await startKeycard(t)
  const refused: [ProblemCode, string][] = [
    ['NOT_FOUND', head('GET /nothing')],
    ['NOT_FOUND', head('GET /api/auth/me/')],
    ['NOT_FOUND', head('GET /API/auth/me')],
    ['NOT_FOUND', head('GET //api/auth/me')],
    ['NOT_FOUND', head('GET /api/auth/%2e%2e/auth/me')],
    ['FORBIDDEN', head('GET /docs/static/../../package.json')],
    ['NOT_FOUND', head('GET /docs/static/%2e%2e%2f%2e%2e%2fpackage.json')],
    ['NOT_FOUND', `${head('POST /nothing', json, 'Content-Length: 2')}{}`],
    ['BAD_REQUEST', head('GET /%zz')],
    ['BAD_REQUEST', head('GET /api/auth/me?x=%00')],
    ['BAD_REQUEST', head('GET /api/auth/me', 'Host: second.test')],
    ['BAD_REQUEST', 'GET /api/auth/me HTTP/1.1\r\n\r\n'],
    ['BAD_REQUEST', head('FROB /api/auth/me')],
    ['URI_TOO_LONG', head(`DELETE /api/auth/sessions/${'x'.repeat(101)}`)],
    ['HEADERS_TOO_LARGE', head('GET /health/live', `Cookie: ${'x'.repeat(20_000)}`)],
    ['HEADERS_TOO_LARGE', head(`GET /${'x'.repeat(20_000)}`)],
    ['BODY_TOO_LARGE', head('POST /api/auth/login', json, 'Content-Length: 16385')],
    ['UNSUPPORTED_MEDIA_TYPE', `${head('POST /api/auth/login', 'Content-Length: 2')}{}`],
    [
      'UNSUPPORTED_MEDIA_TYPE',
      `${head('POST /api/auth/login', 'Content-Type: text/plain', 'Content-Length: 2')}{}`
    ],
    [
      'UNSUPPORTED_MEDIA_TYPE',
      `${head('POST /api/auth/login', json, 'Content-Encoding: gzip', 'Content-Length: 2')}{}`
    ],
    ['MALFORMED_BODY', `${head('POST /api/auth/login', json, 'Content-Length: 1')}{`],
    ['VALIDATION_FAILED', `${head('POST /api/auth/login', json, 'Content-Length: 2')}{}`],
    ['EXPECTATION_FAILED', head('POST /api/auth/login', json, 'Expect: wonders')]
  ]
  for (const [code, bytes] of refused) {
    const connection = await openConnection(t, Number(new URL(keycard.url).port))
    connection.write(bytes)
    t.comment(bytes.split('\r\n')[0])
    assertProblem(t, await connection.answer(), code)
  }
})
