import Type from 'typebox'
import fc from 'fast-check'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { startHttpApp } from '../support/http-app.js'
import { assertProblem, readAnswer } from '../support/problem-assertions.js'

const BodySchema = Type.Object(
  {
    email: Type.String({ format: 'email', maxLength: 20 }),
    age: Type.Optional(Type.Integer({ minimum: 1, maximum: 9 })),
    tags: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), { maxItems: 2, uniqueItems: true })
    ),
    delivery: Type.Optional(Type.Union([Type.Literal('cookie'), Type.Literal('body')])),
    'a/b~c': Type.Optional(Type.Boolean())
  },
  { additionalProperties: false }
)

const routes = (app: FastifyInstance): void => {
  app.post('/things', { schema: { body: BodySchema } }, async ({ body }) => ({ body }))
  const querystring = Type.Object(
    { limit: Type.Integer({ maximum: 9, default: 5 }) },
    { additionalProperties: false }
  )
  app.get('/things', { schema: { querystring } }, async ({ query }) => ({ query }))
  const params = Type.Object({ id: Type.String({ format: 'uuid' }) })
  app.get('/things/:id', { schema: { params } }, async () => 'ok')
  app.delete('/things/:id', { schema: { params } }, async () => 'ok')
}

const post = (url: string, body: unknown): Promise<Response> =>
  fetch(`${url}/things`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })

t.test('each broken rule is named by its place and by what would be right', async (t) => {
  const { url } = await startHttpApp(t, { routes })
  const email = 'a@b.example'
  const cases: [unknown, Record<string, string>][] = [
    [[], { '': 'must be an object' }],
    ['text', { '': 'must be an object' }],
    [null, { '': 'must be an object' }],
    [{}, { '/email': 'is required' }],
    [{ email: 1 }, { '/email': 'must be a string' }],
    [{ email: null }, { '/email': 'must be a string' }],
    [{ email: 'nobody' }, { '/email': 'must be an e-mail address' }],
    [{ email: `${'a'.repeat(20)}@b.example` }, { '/email': 'must be at most 20 characters long' }],
    [{ email, age: '3' }, { '/age': 'must be a whole number' }],
    [{ email, age: 1.5 }, { '/age': 'must be a whole number' }],
    [{ email, age: 0 }, { '/age': 'must be at least 1' }],
    [{ email, age: 10 }, { '/age': 'must be at most 9' }],
    [{ email, tags: 'x' }, { '/tags': 'must be an array' }],
    [{ email, tags: ['x', ''] }, { '/tags/1': 'must be at least 1 character long' }],
    [{ email, tags: ['x', 'x'] }, { '/tags': 'must not repeat an item' }],
    [{ email, tags: ['x', 'y', 'z'] }, { '/tags': 'must have at most 2 items' }],
    [{ email, delivery: 'pigeon' }, { '/delivery': 'must be one of: cookie, body' }],
    [{ email, 'a/b~c': 1 }, { '/a~1b~0c': 'must be true or false' }],
    [{ email, role: 'admin' }, { '/role': 'is not a known field' }],
    [{ email, 'x/y': 1 }, { '/x~1y': 'is not a known field' }],
    [
      { age: 0, role: 1 },
      { '/email': 'is required', '/age': 'must be at least 1', '/role': 'is not a known field' }
    ]
  ]
  for (const [body, expected] of cases) {
    const document = assertProblem(t, await readAnswer(await post(url, body)), 'VALIDATION_FAILED')
    const errors = Object.entries(expected).map(([path, message]) => ({ path, message }))
    t.same(new Set([document['errors']].flat()), new Set(errors), JSON.stringify(body))
  }
})

t.test('a request without a body where one is needed breaks the schema', async (t) => {
  const { url } = await startHttpApp(t, { routes })
  const answer = await readAnswer(await fetch(`${url}/things`, { method: 'POST' }))
  t.match(assertProblem(t, answer, 'VALIDATION_FAILED'), {
    errors: [{ path: '', message: 'must be an object' }]
  })
})

t.test('what was sent never comes back, and the list of errors is bounded', async (t) => {
  const { url } = await startHttpApp(t, { routes })
  await fc.assert(
    fc.asyncProperty(fc.string({ minLength: 6 }), async (value) => {
      const canary = `canary${value}`
      const body = { email: canary, age: canary, tags: [canary, canary, canary], delivery: canary }
      const answer = await readAnswer(await post(url, body))
      assertProblem(t, answer, 'VALIDATION_FAILED')
      t.notOk(answer.body.includes('canary'))
    }),
    { numRuns: 25 }
  )
  const flood = Object.fromEntries(Array.from({ length: 900 }, (_, index) => [`field${index}`, 0]))
  const document = assertProblem(t, await readAnswer(await post(url, flood)), 'VALIDATION_FAILED')
  t.equal([document['errors']].flat().length, 20)
  const longName = await readAnswer(await post(url, { ['x'.repeat(10_000)]: 1 }))
  t.ok(longName.body.length < 1000)
})

t.test(
  'query strings are text, so numbers are read from it; unknown parameters are refused',
  async (t) => {
    const { url } = await startHttpApp(t, { routes })
    const get = async (query: string) => await readAnswer(await fetch(`${url}/things${query}`))
    t.same(JSON.parse((await get('?limit=7')).body), { query: { limit: 7 } })
    t.same(JSON.parse((await get('')).body), { query: { limit: 5 } })
    const failures: Record<string, object> = {
      '?limit=many': { path: '/limit', message: 'must be a whole number' },
      '?limit=1&limit=2': { path: '/limit', message: 'must be a whole number' },
      '?limit=10': { path: '/limit', message: 'must be at most 9' },
      '?limit=': { path: '/limit', message: 'must be a whole number' },
      '?admin=1': { path: '/admin', message: 'is not a known field' }
    }
    for (const [query, error] of Object.entries(failures)) {
      t.match(assertProblem(t, await get(query), 'VALIDATION_FAILED'), {
        detail: /query string/,
        errors: [error]
      })
    }
  }
)

t.test('a path parameter of the wrong form is named like a field', async (t) => {
  const { url } = await startHttpApp(t, { routes })
  const answer = await readAnswer(await fetch(`${url}/things/1`))
  t.match(assertProblem(t, answer, 'VALIDATION_FAILED'), {
    errors: [{ path: '/id', message: 'must be a UUID' }]
  })
})

t.test('a body where none is documented is refused, unless it says nothing', async (t) => {
  const { url } = await startHttpApp(t, { routes })
  const remove = (body?: string) =>
    fetch(`${url}/things/01a200ee-017b-7124-a46d-7bb8a4c84f28`, {
      method: 'DELETE',
      ...(body !== undefined && { body, headers: { 'content-type': 'application/json' } })
    })
  for (const body of [undefined, '{}', 'null']) t.equal((await remove(body)).status, 200)
  const refused: Record<string, object> = {
    '{"except":"this"}': { path: '/except', message: 'is not a known field' },
    '["x"]': { path: '', message: 'must be an object or null' },
    '"x"': { path: '', message: 'must be an object or null' }
  }
  for (const [body, error] of Object.entries(refused)) {
    const answer = await readAnswer(await remove(body))
    t.match(assertProblem(t, answer, 'VALIDATION_FAILED'), { errors: [error] }, body)
  }
})
