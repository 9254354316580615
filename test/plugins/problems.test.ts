import Type from 'typebox'
import t from 'tap'
import { problem } from '../../src/problems.js'
import { startHttpApp } from '../support/http-app.js'
import { assertProblem, readAnswer } from '../support/problem-assertions.js'

const secret = 'postgres://keycard:hunter2@db.internal/keycard'

t.test('a bug is a 500 that says nothing of it', async (t) => {
  const thrown: Record<string, () => unknown> = {
    error: () => new Error(secret),
    coded: () => Object.assign(new Error(secret), { code: '23505', detail: secret }),
    string: () => secret,
    nothing: () => null,
    rows: () => ({ statusCode: 418, message: secret })
  }
  const { url } = await startHttpApp(t, {
    routes: (app) => {
      app.get<{ Params: { what: string } }>('/throw/:what', async ({ params }) => {
        throw thrown[params.what]?.()
      })
    }
  })
  for (const what of Object.keys(thrown)) {
    const answer = await readAnswer(await fetch(`${url}/throw/${what}`))
    t.comment(what)
    assertProblem(t, answer, 'INTERNAL_ERROR')
    t.notMatch(answer.body, /hunter2|internal\/|stack|23505/)
  }
})

t.test('a thrown problem is answered as it is, its cause stays inside', async (t) => {
  const { url } = await startHttpApp(t, {
    routes: (app) => {
      app.get('/', async () => {
        throw problem('MISSING_TOKEN', {
          detail: 'Where is it?',
          headers: { 'WWW-Authenticate': 'Bearer' },
          cause: new Error(secret)
        })
      })
    }
  })
  const answer = await readAnswer(await fetch(url))
  t.match(assertProblem(t, answer, 'MISSING_TOKEN'), { detail: 'Where is it?' })
  t.equal(answer.headers.get('www-authenticate'), 'Bearer')
  t.notMatch(answer.body, 'hunter2')
})

t.test('errors of the domain are translated', async (t) => {
  class QueueFull extends Error {}
  const { url } = await startHttpApp(t, {
    translate: (error) => (error instanceof QueueFull ? problem('OVERLOADED') : undefined),
    routes: (app) => {
      app.get('/full', async () => {
        throw new QueueFull()
      })
      app.get('/other', async () => {
        throw new Error()
      })
    }
  })
  assertProblem(t, await readAnswer(await fetch(`${url}/full`)), 'OVERLOADED')
  assertProblem(t, await readAnswer(await fetch(`${url}/other`)), 'INTERNAL_ERROR')
})

t.test('a refusal of a plugin is known by its status, what it says is not repeated', async (t) => {
  const { url } = await startHttpApp(t, {
    routes: (app) => {
      app.get('/', async () => {
        throw Object.assign(new Error(secret), { statusCode: 403 })
      })
    }
  })
  const answer = await readAnswer(await fetch(url))
  assertProblem(t, answer, 'FORBIDDEN')
  t.notMatch(answer.body, 'hunter2')
})

t.test('an answer that its own schema cannot express is a bug, not a leak', async (t) => {
  const { url } = await startHttpApp(t, {
    routes: (app) => {
      const schema = { response: { 200: Type.Object({ id: Type.Integer() }) } }
      app.get('/', { schema }, (_request, reply) => reply.send({ id: Symbol(secret) }))
    }
  })
  const answer = await readAnswer(await fetch(url))
  assertProblem(t, answer, 'INTERNAL_ERROR')
  t.notMatch(answer.body, 'hunter2')
})

t.test('successes carry the request id as well', async (t) => {
  const { url } = await startHttpApp(t, {
    routes: (app) => {
      app.get('/', async (request) => ({ id: request.id }))
    }
  })
  const response = await fetch(url)
  t.same(await response.json(), { id: response.headers.get('x-request-id') })
})
