import { randomUUID } from 'node:crypto'
import t from 'tap'
import { startKeycard } from '../../support/keycard.js'
import { introspect } from '../../support/oauth-calls.js'
import { issueClient, registerAdmin } from '../../support/operators.js'
import { verdict } from '../../support/session-calls.js'

const keycard = await startKeycard(t)
const admin = await registerAdmin(keycard)
const token = admin.accessToken

t.test('a service is registered, and its secret shown once', async (t) => {
  const answer = await keycard.post('/api/admin/clients', { token, body: { name: 'orders' } })
  t.equal(answer.status, 201)
  t.equal(answer.headers.get('cache-control'), 'no-store')
  const { client, clientSecret = '' } = answer.body
  t.same(Object.keys(answer.body).sort(), ['client', 'clientSecret'])
  t.same(Object.keys(client ?? {}).sort(), ['createdAt', 'id', 'name'])
  t.match(clientSecret, /^kc_[\w-]{43}$/)

  const list = await keycard.get('/api/admin/clients', { token })
  t.same(list.body.clients, [{ ...client, createdBy: admin.id, revokedAt: null }])
  t.notMatch(list.text, clientSecret)
  for (const line of keycard.log) if (line.includes(clientSecret)) t.fail(line)
  t.match(
    keycard.log.find((line) => line.includes('admin.client_issued')),
    admin.id
  )
})

t.test('what is not asked for is refused, not dropped', async (t) => {
  const before = (await keycard.get('/api/admin/clients', { token })).body.clients?.length
  for (const body of [
    {},
    { name: '' },
    { name: '   ' },
    { name: 'x'.repeat(201) },
    { name: 'a\nb' },
    { name: 1 },
    { name: ['orders'] },
    { name: 'orders', id: randomUUID() },
    { name: 'orders', secret: 'mine' },
    { name: 'orders', clientSecret: 'mine' },
    { name: 'orders', secretHash: 'mine' },
    { name: 'orders', createdBy: randomUUID() },
    { name: 'orders', revokedAt: null },
    { name: 'orders', roles: ['admin'] }
  ]) {
    const answer = await keycard.post('/api/admin/clients', { token, body })
    t.equal(verdict(answer), 'VALIDATION_FAILED', JSON.stringify(body).slice(0, 60))
  }
  const list = await keycard.get('/api/admin/clients', { token })
  t.equal(list.body.clients?.length, before)
})

t.test('a service that is revoked stays in the list, and is out', async (t) => {
  const { id, credentials } = await issueClient(keycard, admin)
  const path = `/api/admin/clients/${id}`
  t.equal(verdict(await introspect(keycard, credentials, 'x')), 200)
  for (const attempt of ['first', 'second']) {
    const answer = await keycard.delete(path, { token })
    t.equal(answer.status, 204, attempt)
    t.equal(answer.text, '')
    t.equal(verdict(await introspect(keycard, credentials, 'x')), 'INVALID_CLIENT')
  }
  const list = await keycard.get('/api/admin/clients', { token })
  t.match(
    list.body.clients?.find((client) => client.id === id),
    { name: 'orders', revokedAt: /^\d{4}-.+Z$/ }
  )
})

t.test('an id that nobody has is not found', async (t) => {
  const { id } = await issueClient(keycard, admin)
  for (const unknown of [randomUUID(), admin.id, id.toUpperCase(), 'x', "'%20or%201=1--", '%2e']) {
    const answer = await keycard.delete(`/api/admin/clients/${unknown}`, { token })
    t.equal(verdict(answer), 'NOT_FOUND', unknown)
  }
})
