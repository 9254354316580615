import t, { type Test } from 'tap'
import crossOrigin from '../../src/plugins/cross-origin.js'
import { problem } from '../../src/problems.js'
import { sendRaw, startHttpApp } from '../support/http-app.js'
import { assertProblem, readAnswer } from '../support/problem-assertions.js'

const allowed = 'https://app.example'
const publicUrl = 'https://keycard.test'

const startApp = (t: Test, allowedOrigins = [allowed, 'https://other.example']) =>
  startHttpApp(t, {
    config: { publicUrl },
    routes: async (app) => {
      await app.register(crossOrigin, { publicUrl, allowedOrigins })
      app.get('/me', async () => 'me')
      app.get('/limited', async () => {
        throw problem('RATE_LIMITED')
      })
      app.post('/refresh', async (request) => {
        app.assertSameOrigin(request)
        return 'ok'
      })
    }
  })

const preflight = (url: string, origin: string): Promise<Response> =>
  fetch(url, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type'
    }
  })

const corsHeaders = ({ headers }: Response): string[] =>
  [...headers.keys()].filter((name) => name.startsWith('access-control-'))

t.test('an allowed origin may call with credentials and read what it needs', async (t) => {
  const { url } = await startApp(t)
  const asked = await preflight(`${url}/refresh`, allowed)
  t.equal(asked.status, 204)
  t.equal(asked.headers.get('access-control-allow-origin'), allowed)
  t.equal(asked.headers.get('access-control-allow-credentials'), 'true')
  t.match(asked.headers.get('access-control-allow-methods'), /POST.*DELETE/)
  t.equal(asked.headers.get('access-control-allow-headers'), 'authorization, content-type')
  t.match(asked.headers.get('vary'), /origin/i)

  for (const path of ['/me', '/limited', '/nothing']) {
    const answer = await fetch(`${url}${path}`, { headers: { origin: allowed } })
    t.equal(answer.headers.get('access-control-allow-origin'), allowed, path)
    t.match(answer.headers.get('access-control-expose-headers'), /retry-after.*www-authenticate/)
    await answer.body?.cancel()
  }
})

t.test('a foreign origin gets no CORS header, and shared caches know it', async (t) => {
  const { url } = await startApp(t)
  for (const origin of ['https://app.example.evil', 'https://APP.example', 'null', publicUrl]) {
    const asked = await preflight(`${url}/refresh`, origin)
    t.same(corsHeaders(asked), [], origin)
    t.equal(asked.headers.get('allow'), 'POST')
    assertProblem(t, await readAnswer(asked), 'METHOD_NOT_ALLOWED')
    const answer = await fetch(`${url}/me`, { headers: { origin } })
    t.same(corsHeaders(answer), [], origin)
    t.match(answer.headers.get('vary'), /origin/i)
    await answer.body?.cancel()
  }
})

t.test('OPTIONS that is no preflight tells the methods', async (t) => {
  for (const origins of [[], [allowed]]) {
    const { url } = await startApp(t, origins)
    const answer = await fetch(`${url}/me`, { method: 'OPTIONS' })
    t.equal(answer.headers.get('allow'), 'GET, HEAD')
    assertProblem(t, await readAnswer(answer), 'METHOD_NOT_ALLOWED')
    const nothing = await fetch(`${url}/nothing`, { method: 'OPTIONS' })
    assertProblem(t, await readAnswer(nothing), 'NOT_FOUND')
  }
})

t.test('a write with cookies is refused to foreign pages', async (t) => {
  const { url, port } = await startApp(t)
  const refresh = async (headers: Record<string, string>) =>
    await readAnswer(await fetch(`${url}/refresh`, { method: 'POST', headers }))
  const passing: Record<string, string>[] = [
    { origin: publicUrl },
    { origin: allowed },
    { origin: publicUrl, 'sec-fetch-site': 'same-origin' }
  ]
  for (const headers of passing) t.equal((await refresh(headers)).status, 200)
  for (const origin of ['null', 'https://evil.example', `${publicUrl}:444`, `${allowed}/`]) {
    assertProblem(t, await refresh({ origin }), 'CROSS_ORIGIN')
  }

  const raw = (...lines: string[]): Promise<{ status: number }> =>
    sendRaw(
      port,
      ['POST /refresh HTTP/1.1', 'Host: a', 'Connection: close', ...lines, '', ''].join('\r\n')
    )
  t.equal((await raw()).status, 200, 'no browser')
  t.equal((await raw('Sec-Fetch-Site: cross-site')).status, 403)
  t.equal((await raw('Sec-Fetch-Site: same-origin', 'Sec-Fetch-Site: same-origin')).status, 403)
  t.equal((await raw(`Origin: ${publicUrl}`, `Origin: ${publicUrl}`)).status, 403)
  t.equal((await raw(`Origin: https://evil.example`, `Origin: ${publicUrl}`)).status, 403)
})
