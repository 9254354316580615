import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import type { Answer } from '../../support/client.js'
import { startKeycard } from '../../support/keycard.js'
import { basic, formType, introspect, postForm, revoke } from '../../support/oauth-calls.js'
import { type IssuedClient, issueClient, registerAdmin } from '../../support/operators.js'
import { assertProblem } from '../../support/problem-assertions.js'
import { head, openConnection } from '../../support/raw-connection.js'
import { me, verdict } from '../../support/session-calls.js'

const paths = ['/oauth/introspect', '/oauth/revoke']

const keycard = await startKeycard(t)
const admin = await registerAdmin(keycard)
const orders = await issueClient(keycard, admin)

function assertNoClient(t: Test, answer: Answer): void {
  assertProblem(t, { ...answer, body: answer.text }, 'INVALID_CLIENT')
  t.equal(answer.headers.get('www-authenticate'), 'Basic realm="keycard"')
}

t.test('nobody but a client in good standing is served', async (t) => {
  const ada = await keycard.register()
  const revoked = await issueClient(keycard, admin)
  await keycard.delete(`/api/admin/clients/${revoked.id}`, { token: admin.accessToken })
  const billing = await issueClient(keycard, admin, 'billing')
  const strangers: Record<string, Record<string, string>> = {
    'no header': {},
    'a revoked client': { authorization: basic(revoked.credentials) },
    'an unknown client': { authorization: basic(`${randomUUID()}:${orders.secret}`) },
    'a wrong secret': { authorization: basic(`${orders.id}:${orders.secret}x`) },
    'no secret': { authorization: basic(`${orders.id}:`) },
    'no id': { authorization: basic(`:${orders.secret}`) },
    'the secret of another': { authorization: basic(`${orders.id}:${billing.secret}`) },
    'a name': { authorization: basic(`orders:${orders.secret}`) },
    'id and secret, not encoded': { authorization: `Basic ${orders.credentials}` },
    'another scheme': { authorization: basic(orders.credentials).replace('Basic', 'Bearer') },
    'an access token': { authorization: `Bearer ${ada.accessToken}` },
    'the token of an administrator': { authorization: `Bearer ${admin.accessToken}` },
    'an account': { authorization: basic(`${ada.id}:${ada.password}`) },
    'another header': { 'proxy-authorization': basic(orders.credentials) },
    'a cookie': { cookie: `authorization=${basic(orders.credentials)}` }
  }
  for (const path of paths) {
    for (const [who, headers] of Object.entries(strangers)) {
      t.comment(`${path}: ${who}`)
      assertNoClient(t, await postForm(keycard, path, `token=${ada.accessToken}`, headers))
    }
  }
  t.equal(verdict(await me(keycard, ada.accessToken)), 200, 'nothing was revoked')
})

t.test('id and secret are form-urlencoded in the header', async (t) => {
  const encode = (text: string) =>
    [...text].map((c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`).join('')
  const credentials = `${encode(orders.id)}:${encode(orders.secret)}`
  t.equal(verdict(await introspect(keycard, credentials, 'x')), 200)
})

t.test('a secret in the body or the query is none', async (t) => {
  const inBody = `token=x&client_id=${orders.id}&client_secret=${orders.secret}`
  for (const path of paths) {
    assertNoClient(t, await postForm(keycard, path, inBody))
    assertNoClient(t, await postForm(keycard, `${path}?${inBody}`, 'token=x'))
    const authorization = basic(orders.credentials)
    const both = await postForm(keycard, path, inBody, { authorization })
    t.equal(verdict(both), 'BAD_REQUEST', 'nor beside the header')
    const assertion = 'token=x&client_assertion=x&client_assertion_type=x'
    t.equal(verdict(await postForm(keycard, path, assertion, { authorization })), 'BAD_REQUEST')
    const named = await postForm(keycard, path, `token=x&client_id=${orders.id}`, { authorization })
    t.equal(named.status, 200, 'an id alone is no secret')
  }
})

t.test('two Authorization headers are refused, whichever is good', async (t) => {
  const good = `Authorization: ${basic(orders.credentials)}`
  const bad = `Authorization: ${basic(`${orders.id}:x`)}`
  const connection = await openConnection(t, Number(new URL(keycard.url).port))
  for (const path of paths) {
    for (const pair of [
      [good, bad],
      [bad, good],
      [good, good]
    ]) {
      const headers = [`Content-Type: ${formType}`, 'Content-Length: 7']
      connection.write(`${head(`POST ${path}`, ...pair, ...headers)}token=x`)
      assertProblem(t, await connection.answer(), 'BAD_REQUEST')
    }
  }
})

t.test('a client is no user', async (t) => {
  const authorization = basic(orders.credentials)
  for (const path of ['/api/auth/me', '/api/admin/clients']) {
    t.equal(verdict(await keycard.get(path, { headers: { authorization } })), 'MISSING_TOKEN')
    t.equal(verdict(await keycard.get(path, { token: orders.secret })), 'INVALID_TOKEN')
  }
})

t.test('only forms, and of each parameter one', async (t) => {
  const { accessToken } = await keycard.register()
  const authorization = basic(orders.credentials)
  for (const path of paths) {
    const send = async (form: string, type = formType) =>
      verdict(await postForm(keycard, path, form, { authorization, 'content-type': type }))
    t.equal(await send('token=x&token=x'), 'BAD_REQUEST')
    t.equal(await send(`token=x&%74oken=${accessToken}`), 'BAD_REQUEST')
    t.equal(await send(`token=${accessToken}&token_type_hint=a&token_type_hint=b`), 'BAD_REQUEST')
    t.equal(await send('token=%ff'), 'BAD_REQUEST')
    t.equal(await send('token=%00'), 'BAD_REQUEST')
    t.equal(await send(''), 'VALIDATION_FAILED')
    t.equal(await send('token='), 'VALIDATION_FAILED')
    t.equal(await send(`Token=${accessToken}`), 'VALIDATION_FAILED')
    t.equal(await send(`token[]=${accessToken}`), 'VALIDATION_FAILED')
    t.equal(await send(`token=${'x'.repeat(16 * 1024)}`), 'BODY_TOO_LARGE')
    for (const type of [
      'application/json',
      'text/plain',
      'multipart/form-data; boundary=x',
      `${formType}; charset=iso-8859-1`
    ]) {
      t.equal(await send(`token=${accessToken}`, type), 'UNSUPPORTED_MEDIA_TYPE', type)
    }
    const json = { body: { token: accessToken }, headers: { authorization } }
    t.equal(verdict(await keycard.post(path, json)), 'UNSUPPORTED_MEDIA_TYPE')
    t.equal(verdict(await keycard.post(path, { headers: { authorization } })), 'VALIDATION_FAILED')
    const inQuery = `${path}?token=${accessToken}`
    t.equal(
      verdict(await postForm(keycard, inQuery, 'token=x', { authorization })),
      'VALIDATION_FAILED'
    )
    const get = await keycard.get(inQuery, { headers: { authorization } })
    t.equal(verdict(get), 'METHOD_NOT_ALLOWED')
    t.equal(get.headers.get('allow'), 'POST')
  }
  t.equal(verdict(await me(keycard, accessToken)), 200, 'nothing was revoked')
})

t.test('no secret and no token is in the log', (t) => {
  t.ok(keycard.log.length > 100)
  const canaries = [orders.secret, basic(orders.credentials).slice(6)]
  for (const line of keycard.log) {
    if (canaries.some((canary) => line.includes(canary))) t.fail(line)
  }
  t.end()
})

t.test('failures are limited by address, before anything is looked up', async (t) => {
  const limited = await startKeycard(t, {
    env: {
      RATE_LIMIT: 'on',
      RATE_LIMIT_CLIENT_FAILURES_PER_IP: '3/1m',
      RATE_LIMIT_REQUESTS_PER_IP: '20/1m',
      TRUST_PROXY: '127.0.0.1'
    }
  })
  const client: IssuedClient = await issueClient(limited, await registerAdmin(limited))
  const from = (address: string, secret: string) =>
    postForm(limited, '/oauth/introspect', 'token=x', {
      authorization: basic(`${client.id}:${secret}`),
      'x-forwarded-for': address
    })
  for (let count = 0; count < 30; count += 1) {
    t.equal((await from('192.0.2.1', client.secret)).status, 200, 'a service at work has no limit')
  }
  for (const expected of ['INVALID_CLIENT', 'INVALID_CLIENT', 'INVALID_CLIENT', 'RATE_LIMITED']) {
    t.equal(verdict(await from('192.0.2.1', 'wrong')), expected)
  }
  const refused = await from('192.0.2.1', client.secret)
  t.equal(verdict(refused), 'RATE_LIMITED')
  t.match(refused.headers.get('retry-after'), /^[1-9]\d*$/)
  t.equal((await from('192.0.2.2', client.secret)).status, 200, 'others are not concerned')
  t.equal(verdict(await revoke(limited, `${client.id}:x`, 'x')), 'INVALID_CLIENT')
})
