import t from 'tap'
import { startHttpApp } from '../support/http-app.js'

t.test('every answer is closed to browsers, unless its route opens it', async (t) => {
  const { url } = await startHttpApp(t, {
    routes: (app) => {
      app.get('/closed', async () => 'ok')
      app.get('/open', (_request, reply) =>
        reply
          .headers({ 'cache-control': 'public, max-age=60', 'content-security-policy': 'sandbox' })
          .send('ok')
      )
    }
  })
  for (const path of ['/closed', '/nothing', '/%zz']) {
    const { headers } = await fetch(`${url}${path}`)
    t.equal(headers.get('x-content-type-options'), 'nosniff')
    t.equal(headers.get('referrer-policy'), 'no-referrer')
    t.equal(headers.get('cache-control'), 'no-store')
    t.match(headers.get('content-security-policy'), /^default-src 'none'/)
    t.equal(headers.get('strict-transport-security'), null)
  }
  const { headers } = await fetch(`${url}/open`)
  t.equal(headers.get('cache-control'), 'public, max-age=60')
  t.equal(headers.get('content-security-policy'), 'sandbox')
  t.equal(headers.get('x-content-type-options'), 'nosniff')
})

t.test('browsers that came over https are told to stay there', async (t) => {
  const { url } = await startHttpApp(t, { config: { publicUrl: 'https://keycard.test' } })
  const { headers } = await fetch(url)
  t.equal(headers.get('strict-transport-security'), 'max-age=31536000')
})
