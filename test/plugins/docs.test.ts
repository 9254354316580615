import Type from 'typebox'
import t, { type Test } from 'tap'
import docs from '../../src/plugins/docs.js'
import { startHttpApp } from '../support/http-app.js'
import { assertProblem, readAnswer } from '../support/problem-assertions.js'

const startApp = (t: Test, publicUrl = 'http://keycard.test') =>
  startHttpApp(t, {
    routes: async (app) => {
      await app.register(docs, { publicUrl })
      const schema = {
        summary: 'A thing',
        security: [{ bearer: [] }],
        body: Type.Object({ name: Type.String() }, { additionalProperties: false }),
        response: { 201: Type.Object({ id: Type.String() }) }
      }
      app.post('/things', { schema }, async () => ({ id: '1' }))
      app.get('/things', { schema: { summary: 'All things' } }, async () => 'ok')
    }
  })

t.test('the OpenAPI document has the routes, their guards and their problems', async (t) => {
  const { url } = await startApp(t)
  const answer = await fetch(`${url}/openapi.json`)
  t.match(answer.headers.get('content-type'), /^application\/json/)
  t.match(await answer.json(), {
    openapi: '3.1.0',
    info: { title: 'Keycard', version: /^\d+\.\d+\.\d+/ },
    paths: {
      '/things': {
        post: {
          security: [{ bearer: [] }],
          requestBody: { required: true },
          responses: { 201: {}, default: { $ref: '#/components/responses/Problem' } }
        },
        get: { responses: { default: { $ref: '#/components/responses/Problem' } } }
      }
    },
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        refreshCookie: { in: 'cookie', name: 'keycard_refresh' }
      },
      schemas: { Problem: { properties: { code: { enum: ['BAD_REQUEST'] } } } }
    }
  })
})

t.test('a route without a query or a body is documented without them', async (t) => {
  const { url } = await startApp(t)
  const { paths } = (await (await fetch(`${url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, object>>
  }
  t.same(Object.keys(paths['/things']?.['get'] ?? {}).sort(), ['responses', 'summary'])
})

t.test('a body that may be left out is documented as optional', async (t) => {
  const { url } = await startHttpApp(t, {
    routes: async (app) => {
      await app.register(docs, { publicUrl: 'http://keycard.test' })
      const form = Type.Object({ name: Type.Optional(Type.String()) })
      const schema = { body: Type.Union([form, Type.Null()]) }
      app.post('/things', { schema }, async () => 'ok')
    }
  })
  t.match(await (await fetch(`${url}/openapi.json`)).json(), {
    paths: {
      '/things': {
        post: {
          requestBody: {
            required: false,
            content: { 'application/json': { schema: { type: 'object' } } }
          }
        }
      }
    }
  })
  t.equal((await fetch(`${url}/things`, { method: 'POST' })).status, 200)
})

t.test('only the routes of the API are in it', async (t) => {
  const { url } = await startApp(t, 'https://keycard.test')
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as { paths: object }
  t.same(Object.keys(document.paths), ['/things'])
  t.match(document, {
    components: { securitySchemes: { refreshCookie: { name: '__Host-keycard_refresh' } } }
  })
})

t.test('the page loads everything from here, and may load nothing else', async (t) => {
  const { url } = await startApp(t)
  const page = await fetch(`${url}/docs`)
  t.equal(page.status, 200)
  t.match(page.headers.get('content-security-policy'), "default-src 'none'; script-src 'self'")
  const html = await page.text()
  const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => String(file))
  t.ok(files.length >= 5)
  for (const file of files) {
    const answer = await fetch(new URL(file, `${url}/docs`))
    t.equal(answer.status, 200, file)
    t.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    await answer.arrayBuffer()
  }
  t.notMatch(html, /<script>|<style/, 'nothing inline')
})

t.test('files that the page does not have are problems', async (t) => {
  const { url } = await startApp(t)
  for (const file of ['nothing.js', '..%2f..%2fpackage.json', '%2e%2e/package.json']) {
    const answer = await readAnswer(await fetch(`${url}/docs/static/${file}`))
    t.comment(file)
    assertProblem(t, answer, answer.status === 403 ? 'FORBIDDEN' : 'NOT_FOUND')
  }
})
