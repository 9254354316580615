import Type from 'typebox'
import t, { type Test } from 'tap'
import formBody from '../../src/plugins/form-body.js'
import { startHttpApp } from '../support/http-app.js'
import { assertProblem, readAnswer } from '../support/problem-assertions.js'

const form = 'application/x-www-form-urlencoded'

const startApp = (t: Test) =>
  startHttpApp(t, {
    routes: async (app) => {
      const schema = { body: Type.Object({ a: Type.String() }) }
      await app.register(async (scope) => {
        await scope.register(formBody)
        scope.post('/form', { schema }, async ({ body }) => ({ body }))
      })
      app.post('/json', { schema }, async ({ body }) => ({ body }))
    }
  })

const send = async (url: string, body: string | Uint8Array<ArrayBuffer>, type?: string) =>
  await readAnswer(
    await fetch(url, { method: 'POST', body, headers: type ? { 'content-type': type } : {} })
  )

t.test('the scope reads forms, in UTF-8', async (t) => {
  const { url } = await startApp(t)
  for (const type of [
    form,
    'Application/X-WWW-Form-Urlencoded',
    `${form};charset=UTF-8`,
    `${form}; charset="utf-8"`
  ]) {
    const answer = await send(`${url}/form`, 'a=1&b=2', type)
    t.equal(answer.status, 200, type)
    t.same(JSON.parse(answer.body), { body: { a: '1', b: '2' } })
  }
})

t.test('and nothing else', async (t) => {
  const { url } = await startApp(t)
  const others: [string, string][] = [
    ['{"a":"1"}', 'application/json'],
    ['a=1', 'text/plain'],
    ['a=1', `${form}; charset=iso-8859-1`],
    ['a=1', `${form}; charset=utf-16`],
    ['a=1', `${form}-x`],
    ['--x\r\n', 'multipart/form-data; boundary=x']
  ]
  for (const [body, type] of others) {
    const answer = await send(`${url}/form`, body, type)
    t.match(assertProblem(t, answer, 'UNSUPPORTED_MEDIA_TYPE'), { detail: new RegExp(form) }, type)
  }
  const untyped = await send(`${url}/form`, new Uint8Array([0x61, 0x3d, 0x31]))
  assertProblem(t, untyped, 'UNSUPPORTED_MEDIA_TYPE')
})

t.test('a form that is none, or lacks something, is the fault of the caller', async (t) => {
  const { url } = await startApp(t)
  assertProblem(t, await send(`${url}/form`, 'a=1&a=1', form), 'BAD_REQUEST')
  assertProblem(t, await send(`${url}/form`, 'a=%ff', form), 'BAD_REQUEST')
  assertProblem(t, await send(`${url}/form`, 'a=', form), 'VALIDATION_FAILED')
  assertProblem(t, await send(`${url}/form`, '', form), 'VALIDATION_FAILED')
  assertProblem(t, await send(`${url}/form`, `a=${'x'.repeat(16 * 1024)}`, form), 'BODY_TOO_LARGE')
})

t.test('everybody else goes on with JSON alone', async (t) => {
  const { url } = await startApp(t)
  t.equal((await send(`${url}/json`, '{"a":"1"}', 'application/json')).status, 200)
  assertProblem(t, await send(`${url}/json`, 'a=1', form), 'UNSUPPORTED_MEDIA_TYPE')
})
