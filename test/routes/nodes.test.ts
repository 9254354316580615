import t from 'tap'
import { uuidv7 } from 'uuidv7'
import { basic } from '../support/oauth-calls.js'
import { type IssuedClient, issueClient, registerAdmin } from '../support/operators.js'
import { startKeycard, type TestKeycard } from '../support/keycard.js'
import { nodeRows } from '../support/revocation-rows.js'
import { verdict } from '../support/session-calls.js'

const declaration = { mode: 'replica', dataSet: 'one', leaseMs: 500, epoch: 1 }

function callsOf(keycard: TestKeycard, client: IssuedClient) {
  const headers = { authorization: basic(client.credentials) }
  return {
    declare: (id: string, body: object) =>
      keycard.send('PUT', `/api/nodes/${id}`, { headers, body }),
    confirm: (id: string, body: object) =>
      keycard.post(`/api/nodes/${id}/confirm`, { headers, body }),
    remove: (id: string) => keycard.delete(`/api/nodes/${id}`, { headers }),
    log: (body: object) => keycard.post(`/api/nodes/${uuidv7()}/log`, { headers, body })
  }
}

async function startWithClients() {
  const keycard = await startKeycard(t)
  const admin = await registerAdmin(keycard)
  const [one, two] = [await issueClient(keycard, admin), await issueClient(keycard, admin)]
  return { keycard, one: callsOf(keycard, one), two: callsOf(keycard, two) }
}

const { keycard, one, two } = await startWithClients()
const rowOf = async (id: string) => (await nodeRows(keycard)).find((row) => row.id === id)

t.test('a node is declared, gives signs of life and is taken off the list', async (t) => {
  const id = uuidv7()
  t.equal((await one.declare(id, declaration)).status, 204)
  t.match(await rowOf(id), { mode: 'replica', dataSet: 'one', epoch: 1, applied: null })
  t.equal((await one.confirm(id, { epoch: 1, applied: '10:12:11' })).status, 200)
  t.match(await rowOf(id), { applied: '10:12:11' })
  t.equal((await one.declare(id, { ...declaration, mode: 'database', epoch: 2 })).status, 204)
  t.match(await rowOf(id), { mode: 'database', epoch: 2, applied: null })
  t.equal((await one.declare(id, declaration)).status, 204)
  t.match(await rowOf(id), { mode: 'database', epoch: 2 }, 'one that comes late takes nothing back')
  t.equal(verdict(await one.confirm(id, { epoch: 1 })), 'NOT_FOUND')
  t.equal((await one.remove(id)).status, 204)
  t.equal(await rowOf(id), undefined)
})

t.test("nobody touches a node of somebody else's", async (t) => {
  const [id, ours] = [uuidv7(), keycard.app.revocation.nodeId]
  await one.declare(id, declaration)
  const before = [await rowOf(id), await rowOf(ours)]
  for (const target of [id, ours]) {
    await two.declare(target, { ...declaration, mode: 'database', epoch: 1_000 })
    t.equal(verdict(await two.confirm(target, { epoch: before[0]?.epoch ?? 1 })), 'NOT_FOUND')
    await two.remove(target)
  }
  t.match(await rowOf(id), { mode: 'replica', epoch: 1 })
  t.match(await rowOf(ours), { mode: 'replica', epoch: before[1]?.epoch })
  await one.remove(id)
})

t.test('the log is read from a horizon on', async (t) => {
  const ada = await keycard.register()
  const all = JSON.parse((await one.log({})).text) as { horizon: string; events: unknown[] }
  t.match(all, { generation: 1, next: null })
  await keycard.post('/api/auth/logout-all', { token: ada.accessToken })
  const news = JSON.parse((await one.log({ since: all.horizon })).text) as typeof all
  t.match(news.events, [{ kind: 'user', target: ada.id, level: 2 }])
  const none = JSON.parse((await one.log({ since: news.horizon })).text) as typeof all
  t.same(none.events, [])
})

t.test('what is no horizon, no id or no declaration is refused', async (t) => {
  const id = uuidv7()
  for (const since of ['1', '3:2:', '1:5:9', '1:9:5,4', "1:2:'", '1:2:3:4', '0:0:']) {
    t.equal(verdict(await one.log({ since })), 'VALIDATION_FAILED', since)
    t.equal(verdict(await one.confirm(id, { epoch: 1, applied: since })), 'VALIDATION_FAILED')
  }
  t.equal(verdict(await one.declare('x', declaration)), 'VALIDATION_FAILED')
  for (const wrong of [
    { mode: 'redis' },
    { leaseMs: 0 },
    { epoch: 0 },
    { clientId: uuidv7() },
    { dataSet: 1 }
  ]) {
    const answer = await one.declare(id, { ...declaration, ...wrong })
    t.equal(verdict(answer), 'VALIDATION_FAILED', JSON.stringify(wrong))
  }
})

t.test('only clients may ask', async (t) => {
  const ada = await keycard.register()
  const { accessToken: token } = ada
  const path = `/api/nodes/${uuidv7()}/log`
  t.equal(verdict(await keycard.post(path, { body: {} })), 'INVALID_CLIENT')
  t.equal(verdict(await keycard.post(path, { token, body: {} })), 'INVALID_CLIENT')
})
