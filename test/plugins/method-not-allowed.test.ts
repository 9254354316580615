import { METHODS } from 'node:http'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { sendRaw, startHttpApp } from '../support/http-app.js'
import { assertProblem, readAnswer } from '../support/problem-assertions.js'

const routes = (app: FastifyInstance): void => {
  app.get('/things/:id', async () => 'ok')
  app.delete('/things/:id', async () => 'ok')
  app.post('/things', async () => 'ok')
}

t.test(
  'every other method of a path that exists is 405 and told which ones are allowed',
  async (t) => {
    const { port } = await startHttpApp(t, { routes })
    const ask = (method: string, path: string) =>
      sendRaw(port, `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    for (const method of METHODS.filter((each) => each !== 'CONNECT' && each !== 'HEAD')) {
      const thing = await ask(method, '/things/7?x=1')
      if (method === 'GET' || method === 'DELETE') t.equal(thing.status, 200, method)
      else {
        t.comment(method)
        assertProblem(t, thing, 'METHOD_NOT_ALLOWED')
        t.equal(thing.headers.get('allow'), 'GET, HEAD, DELETE')
      }
      if (method !== 'POST') {
        const things = await ask(method, '/things')
        assertProblem(t, things, 'METHOD_NOT_ALLOWED')
        t.equal(things.headers.get('allow'), 'POST')
      }
      assertProblem(t, await ask(method, '/nothing'), 'NOT_FOUND')
    }
  }
)

t.test('HEAD answers as GET does, without the body', async (t) => {
  const { url } = await startHttpApp(t, { routes })
  t.equal((await fetch(`${url}/things/7`, { method: 'HEAD' })).status, 200)
  const refused = await fetch(`${url}/things`, { method: 'HEAD' })
  t.equal(refused.status, 405)
  t.equal(refused.headers.get('allow'), 'POST')
  t.equal(await refused.text(), '')
})

t.test('paths that only resemble a route do not exist', async (t) => {
  const { port } = await startHttpApp(t, { routes })
  for (const path of [
    '/Things/7',
    '//things/7',
    '/things/7/',
    '/./things/7',
    '/things/../things',
    '/things%2f7',
    '/things;x'
  ]) {
    const answer = await sendRaw(
      port,
      `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
    )
    t.comment(path)
    assertProblem(t, answer, 'NOT_FOUND')
  }
})

t.test('the body of a request that nobody takes is not even looked at', async (t) => {
  const { url } = await startHttpApp(t, { routes })
  const nonsense = { headers: { 'content-type': 'application/json' }, body: '{' }
  const put = await fetch(`${url}/things`, { method: 'PUT', ...nonsense })
  assertProblem(t, await readAnswer(put), 'METHOD_NOT_ALLOWED')
  const post = await fetch(`${url}/nothing`, { method: 'POST', ...nonsense })
  assertProblem(t, await readAnswer(post), 'NOT_FOUND')
})

t.test('a route can still decline', async (t) => {
  const { url } = await startHttpApp(t, {
    routes: (app) => {
      app.get('/maybe', (_request, reply) => {
        reply.callNotFound()
      })
    }
  })
  assertProblem(t, await readAnswer(await fetch(`${url}/nothing`)), 'NOT_FOUND')
  assertProblem(t, await readAnswer(await fetch(`${url}/maybe`)), 'NOT_FOUND')
  const post = await fetch(`${url}/maybe`, { method: 'POST' })
  assertProblem(t, await readAnswer(post), 'METHOD_NOT_ALLOWED')
})
