import t from 'tap'
import { startKeycard } from '../support/keycard.js'

const path = '/.well-known/oauth-authorization-server'

t.test('what there is of OAuth is told, built from PUBLIC_URL alone', async (t) => {
  const publicUrl = 'https://id.example.com'
  const keycard = await startKeycard(t, {
    env: { PUBLIC_URL: publicUrl, TRUST_PROXY: '127.0.0.1' }
  })
  const answer = await keycard.get(path, {
    headers: { 'x-forwarded-host': 'attacker.example', 'x-forwarded-proto': 'http' }
  })
  t.equal(answer.status, 200)
  t.match(answer.headers.get('content-type'), /^application\/json/)
  t.match(answer.headers.get('cache-control'), /^public, max-age=\d+$/)
  t.strictSame(JSON.parse(answer.text), {
    issuer: publicUrl,
    jwks_uri: `${publicUrl}/.well-known/jwks.json`,
    introspection_endpoint: `${publicUrl}/oauth/introspect`,
    introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
    revocation_endpoint: `${publicUrl}/oauth/revoke`,
    revocation_endpoint_auth_methods_supported: ['client_secret_basic'],
    service_documentation: `${publicUrl}/docs`
  })
})

t.test('and all of it is there', async (t) => {
  const keycard = await startKeycard(t)
  const metadata = JSON.parse((await keycard.get(path)).text) as Record<string, string>
  for (const [name, method] of [
    ['jwks_uri', 'GET'],
    ['service_documentation', 'GET'],
    ['introspection_endpoint', 'POST'],
    ['revocation_endpoint', 'POST']
  ] as const) {
    const url = new URL(metadata[name] ?? '')
    t.equal((await keycard.send(method, url.pathname)).status, method === 'GET' ? 200 : 401, name)
  }
})
