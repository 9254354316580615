import { DrizzleQueryError } from 'drizzle-orm'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { loggerOptions } from '../src/logging.js'
import { problem } from '../src/problems.js'
import { startHttpApp } from './support/http-app.js'

const config = { environment: 'production', logLevel: 'debug' } as const

/** An app whose log is kept, one JSON line per entry. */
async function startLogged(t: Test, routes: (app: FastifyInstance) => void) {
  const lines: string[] = []
  const write = (line: string): void => {
    lines.push(line)
  }
  const logger = { ...loggerOptions(config), stream: { write } }
  return { ...(await startHttpApp(t, { routes, logger })), lines }
}

const entryOf = (lines: string[], msg: string): Record<string, unknown> => {
  const entries = lines.map((line) => ({ ...(JSON.parse(line) as object) }))
  return entries.find((entry) => 'msg' in entry && entry.msg === msg) ?? {}
}

t.test('nothing that a request carries is logged but its method, route and address', async (t) => {
  const { app, url, lines } = await startLogged(t, (app) => {
    app.post('/things/:id', async (_request, reply) =>
      reply.header('set-cookie', 'a=canary').send('ok')
    )
    app.post('/bug', async () => {
      throw new TypeError('of our own')
    })
    app.post('/refused', async () => {
      throw problem('INVALID_CREDENTIALS', { cause: new Error('canary') })
    })
  })
  const paths = [
    '/things/canary?token=canary',
    '/bug?token=canary',
    '/refused?canary',
    '/nothing?q=canary',
    '/%zz?canary'
  ]
  for (const path of paths) {
    await fetch(`${url}${path}`, {
      method: 'POST',
      headers: {
        authorization: 'Bearer canary',
        cookie: 'session=canary',
        'content-type': 'application/json',
        'user-agent': 'canary'
      },
      body: '{"password":"canary"}'
    })
  }
  const malformed = { method: 'POST', headers: { 'content-type': 'application/json' } }
  await fetch(`${url}/things/1`, { ...malformed, body: '{"password":canary}' })
  await app.close()
  const log = lines.join('')
  t.notMatch(log, /canary/)
  t.match(entryOf(lines, 'request'), {
    req: { method: 'POST', path: '/things/:id', ip: '127.0.0.1' },
    res: { status: 200 },
    reqId: String,
    durationMs: Number
  })
  t.match(log, '"path":"/nothing"')
  t.match(log, '"path":"/%zz"')
  t.match(entryOf(lines, 'a request hit a bug'), {
    err: { type: 'TypeError', message: 'of our own', stack: /logging\.test/ }
  })
})

t.test('errors of drivers and parsers lose what they quote', async (t) => {
  const postgres = Object.assign(new Error('duplicate key (canary)'), {
    name: 'PostgresError',
    code: '23505',
    detail: 'Key (email)=(canary@b.example) already exists.',
    query: 'insert canary'
  })
  const command = { name: 'get', args: ['canary'] }
  const reply = Object.assign(new Error('ERR unknown command canary'), {
    name: 'ReplyError',
    command
  })
  const thrown: Record<string, () => unknown> = {
    drizzle: () => new DrizzleQueryError('select canary', ['canary'], postgres),
    redis: () => reply,
    json: () => JSON.parse('{"password":canary}') as unknown,
    wrapped: () =>
      problem('DEPENDENCY_UNAVAILABLE', { cause: new Error('no answer', { cause: postgres }) }),
    text: () => 'canary'
  }
  const { app, url, lines } = await startLogged(t, (app) => {
    app.get<{ Params: { what: string } }>('/:what', async ({ params }) => {
      throw thrown[params.what]?.()
    })
  })
  for (const what of Object.keys(thrown)) await (await fetch(`${url}/${what}`)).text()
  await app.close()
  const log = lines.join('')
  t.notMatch(log, /canary/)
  t.match(entryOf(lines, 'a request hit a bug'), {
    err: { type: 'DrizzleQueryError', message: '', cause: { code: '23505', message: '' } }
  })
  t.match(entryOf(lines, problem('DEPENDENCY_UNAVAILABLE').title), {
    code: 'DEPENDENCY_UNAVAILABLE',
    err: { message: 'no answer', cause: { code: '23505', message: '' } }
  })
})

t.test('an error that is logged without words does not bring its own', async (t) => {
  const { app, lines } = await startLogged(t, () => undefined)
  const err = new DrizzleQueryError('select canary', ['canary'])
  app.log.error(err)
  app.log.error({ err })
  app.log.error(new SyntaxError('canary'), 'named %s', 'here')
  app.log.info(
    { password: 'canary', user: { email: 'canary', refreshToken: 'canary' } },
    'careless'
  )
  app.log.info('plain')
  t.notMatch(lines.join(''), /canary/)
  t.match(entryOf(lines, 'an error occurred'), { err: { type: 'DrizzleQueryError' } })
  t.match(entryOf(lines, 'named here'), { err: { type: 'SyntaxError', message: '' } })
  t.match(entryOf(lines, 'careless'), { user: { email: '[redacted]' } })
  t.match(entryOf(lines, 'plain'), { level: 30 })
})

t.test('an answer that breaks off is logged as failed', async (t) => {
  const { app, url, lines } = await startLogged(t, (app) => {
    app.get('/', async (_request, reply) => {
      const { Readable } = await import('node:stream')
      const broken = Readable.from(
        (function* () {
          yield 'x'
          throw new Error('the source went away')
        })()
      )
      return reply.send(broken)
    })
  })
  await t.rejects(fetch(url).then((answer) => answer.text()))
  await app.close()
  t.match(lines.join(''), 'the source went away')
})

t.test('people at a terminal get lines for people, everything else JSON', async (t) => {
  const development = { environment: 'development', logLevel: 'info' } as const
  t.match(loggerOptions(development, true), { transport: { target: 'pino-pretty' }, level: 'info' })
  t.notOk('transport' in loggerOptions(development, false))
  t.notOk('transport' in loggerOptions(config, true))
})
