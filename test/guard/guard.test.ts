import t from 'tap'
import { parseKeyRing } from '../../src/tokens/key-ring.js'
import { decidesFrom, startGuarded } from '../support/guarded-api.js'
import { newEntry } from '../support/key-rings.js'
import { nodeRows } from '../support/revocation-rows.js'
import { eventually } from '../support/eventually.js'
import { logIn, tokensOf, verdict } from '../support/session-calls.js'

t.test('another service is a node of the deployment: receipts reckon with it', async (t) => {
  const { keycard, api, client } = await startGuarded(t)
  const rows = await nodeRows(keycard)
  const own = rows.find(({ clientId }) => clientId === client.id)
  t.match(own, { mode: 'replica', dataSet: String })
  for (let round = 0; round < 20; round++) {
    const ada = await keycard.register()
    t.equal((await api.get('/api/profile', { token: ada.accessToken })).status, 200)
    const { body } = await keycard.post('/api/auth/logout-all', { token: ada.accessToken })
    t.equal(body.receipt?.guarantee, 'applied')
    t.ok(body.receipt?.nodes.some(({ id }) => id === own?.id))
    const dead = await api.get('/api/profile', { token: ada.accessToken })
    t.equal(verdict(dead), 'TOKEN_REVOKED')
    t.equal(dead.headers.get('www-authenticate'), 'Bearer error="invalid_token"')
  }
  await api.app.close()
  t.notOk(
    (await nodeRows(keycard)).some(({ id }) => id === own?.id),
    'it takes itself off the list'
  )
})

t.test('without Redis it asks Keycard about each token', async (t) => {
  const { keycard, api, toRedis, redis } = await startGuarded(t)
  const [ada, bob] = [await keycard.register(), await keycard.register()]
  toRedis.cut()
  await decidesFrom(api, 'database')
  t.equal((await api.get('/api/profile', { token: ada.accessToken })).status, 200)
  const { body } = await keycard.post('/api/auth/logout-all', { token: ada.accessToken })
  t.equal(body.receipt?.nodes.length, 2)
  t.equal(verdict(await api.get('/api/profile', { token: ada.accessToken })), 'TOKEN_REVOKED')
  t.equal((await api.get('/api/profile', { token: bob.accessToken })).status, 200)

  toRedis.retarget(redis.port)
  await decidesFrom(api, 'replica')
  t.equal(verdict(await api.get('/api/profile', { token: ada.accessToken })), 'TOKEN_REVOKED')
  t.equal((await api.get('/api/profile', { token: bob.accessToken })).status, 200)
})

t.test('without Keycard it goes on with its replica', async (t) => {
  const { keycard, api, toKeycard } = await startGuarded(t)
  const [ada, bob] = [await keycard.register(), await keycard.register()]
  toKeycard.cut()
  const { body } = await keycard.post('/api/auth/logout-all', { token: ada.accessToken })
  t.equal(body.receipt?.guarantee, 'applied')
  t.equal(verdict(await api.get('/api/profile', { token: ada.accessToken })), 'TOKEN_REVOKED')
  t.equal((await api.get('/api/profile', { token: bob.accessToken })).status, 200)
})

t.test('with nobody to ask it refuses without a guess', async (t) => {
  const { keycard, api, toKeycard, toRedis } = await startGuarded(t)
  const ada = await keycard.register()
  toKeycard.cut()
  toRedis.cut()
  await decidesFrom(api, 'database')
  const answer = await api.get('/api/profile', { token: ada.accessToken })
  t.equal(verdict(answer), 'DEPENDENCY_UNAVAILABLE')
  t.ok(answer.headers.get('retry-after'))
  t.equal(verdict(await api.get('/api/profile', { token: 'a.b.c' })), 'INVALID_TOKEN')
})

t.test('public keys are found, and found anew when they rotate', async (t) => {
  const [old, next] = [newEntry('old', 'EdDSA'), newEntry('next', 'EdDSA')]
  const { keycard, api } = await startGuarded(t, {
    keycard: { keyRing: parseKeyRing([old]) },
    guard: { keys: { algorithm: 'EdDSA' } }
  })
  const ada = await keycard.register()
  t.equal((await api.get('/api/profile', { token: ada.accessToken })).status, 200)
  keycard.accessTokens.replaceKeyRing(parseKeyRing([{ ...old, status: 'verify' }, next]))
  const { accessToken } = tokensOf(await logIn(keycard, ada))
  await eventually(
    'the new key is found',
    async () => (await api.get('/api/profile', { token: accessToken })).status === 200
  )
  t.equal((await api.get('/api/profile', { token: ada.accessToken })).status, 200)
})

t.test('a client that was revoked is no node any more', async (t) => {
  const { keycard, api, client } = await startGuarded(t)
  await keycard.app.database.write((db) =>
    db.execute(`update clients set revoked_at = now() where id = '${client.id}'`)
  )
  const answer = await keycard.send('PUT', `/api/nodes/${client.id}`, {
    headers: { authorization: `Basic ${Buffer.from(client.credentials).toString('base64')}` },
    body: { mode: 'replica', dataSet: null, leaseMs: 500, epoch: 1 }
  })
  t.equal(verdict(answer), 'INVALID_CLIENT')
  t.equal(api.app.keycard.status().decidesFrom, 'replica', 'it hears of revocations all the same')
})
