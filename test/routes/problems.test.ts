import t, { type Test } from 'tap'
import { problemList } from '../../src/problems.js'
import problemRoutes from '../../src/routes/problems.js'
import { startHttpApp } from '../support/http-app.js'
import { assertProblem, readAnswer } from '../support/problem-assertions.js'

const startApp = (t: Test) =>
  startHttpApp(t, {
    routes: async (app) => {
      await app.register(problemRoutes, { prefix: '/problems' })
    }
  })

t.test('the type of every problem is a page that explains it', async (t) => {
  const { url } = await startApp(t)
  const index = await (await fetch(`${url}/problems`)).text()
  for (const { code, slug, status } of problemList) {
    t.ok(index.includes(`<a href="/problems/${slug}"><code>${code}</code></a>`), code)
    const page = await fetch(`${url}/problems/${slug}`)
    t.equal(page.status, 200)
    t.equal(page.headers.get('content-type'), 'text/html; charset=utf-8')
    t.match(page.headers.get('content-security-policy'), /default-src 'none'; style-src 'sha256-/)
    const html = await page.text()
    t.ok(html.includes(code) && html.includes(String(status)))
    t.notMatch(html, /<script|<token>/i)
  }
})

t.test('a problem that does not exist has no page', async (t) => {
  const { url } = await startApp(t)
  for (const slug of ['nothing', 'TOKEN_EXPIRED', '<b>', 'constructor']) {
    const answer = await readAnswer(await fetch(`${url}/problems/${encodeURIComponent(slug)}`))
    assertProblem(t, answer, 'NOT_FOUND')
  }
})
