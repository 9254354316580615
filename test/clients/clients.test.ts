import { createHash, randomUUID } from 'node:crypto'
import { eq } from 'drizzle-orm'
import t from 'tap'
import type { Origin } from '../../src/audit/origin.js'
import { createClients } from '../../src/clients/clients.js'
import { clients as table } from '../../src/database/schema.js'
import { startKeycard } from '../support/keycard.js'
import { createManualClock } from '../support/manual-clock.js'

const { clock, advanceSeconds } = createManualClock()
const { app } = await startKeycard(t)
const clients = createClients({ database: app.database, clock })
const admin = randomUUID()
const origin: Origin = { actor: { kind: 'user', id: admin }, ip: null }

async function rowOf(id: string) {
  const [row] = await app.database.read((db) => db.select().from(table).where(eq(table.id, id)))
  if (row === undefined) throw new Error('There is no such client')
  return row
}

t.test('a secret is new each time, and only its hash is kept', async (t) => {
  const [first, second] = [
    await clients.issue('orders', origin),
    await clients.issue('orders', origin)
  ]
  t.match(first.secret, /^kc_[\w-]{43}$/)
  t.not(first.secret, second.secret)
  t.not(first.client.id, second.client.id)
  const row = await rowOf(first.client.id)
  t.same(row.secretHash, createHash('sha256').update(first.secret).digest())
  t.notMatch(JSON.stringify(row), first.secret)
  t.match(row, { name: 'orders', createdBy: admin, createdAt: new Date(clock()), revokedAt: null })
})

t.test('only the whole secret of the client itself is good', async (t) => {
  const { client, secret } = await clients.issue('orders', origin)
  const other = await clients.issue('billing', origin)
  t.match(await clients.authenticate(client.id, secret), { id: client.id, name: 'orders' })
  t.notMatch(await clients.authenticate(client.id, secret), { secretHash: Buffer })
  const hash = createHash('sha256').update(secret).digest()
  for (const wrong of [
    '',
    other.secret,
    secret.slice(0, -1),
    `${secret} `,
    secret.toUpperCase(),
    secret.slice(3),
    hash.toString('hex'),
    hash.toString('latin1')
  ]) {
    t.equal(await clients.authenticate(client.id, wrong), undefined)
  }
})

t.test('an id that is not one, or nobody has, is nobody', async (t) => {
  const { client, secret } = await clients.issue('orders', origin)
  for (const id of [
    randomUUID(),
    '00000000-0000-0000-0000-000000000000',
    '',
    'orders',
    client.id.toUpperCase(),
    `{${client.id}}`,
    `${client.id}\n`,
    `${client.id}\0`,
    "' or true --",
    '__proto__'
  ]) {
    t.equal(await clients.authenticate(id, secret), undefined, JSON.stringify(id))
    t.equal(await clients.revoke(id, origin), false)
  }
  t.ok(await clients.authenticate(client.id, secret), 'nobody was hurt')
})

t.test('a revoked client is refused at once, and stays for the record', async (t) => {
  const { client, secret } = await clients.issue('orders', origin)
  const { secret: otherSecret, client: other } = await clients.issue('billing', origin)
  t.ok(await clients.authenticate(client.id, secret))
  advanceSeconds(60)
  const revokedAt = new Date(clock())
  t.equal(await clients.revoke(client.id, origin), true)
  t.equal(await clients.authenticate(client.id, secret), undefined)
  t.ok(await clients.authenticate(other.id, otherSecret))
  advanceSeconds(60)
  t.equal(await clients.revoke(client.id, origin), true, 'again is no error')
  t.same((await rowOf(client.id)).revokedAt, revokedAt, 'and the first time counts')
})

t.test('the list has all of them, newest first, and no secret', async (t) => {
  advanceSeconds(1)
  const { client: older } = await clients.issue('older', origin)
  await clients.revoke(older.id, origin)
  advanceSeconds(1)
  const { client: newer } = await clients.issue('newer', origin)
  const list = await clients.list()
  t.same(list.slice(0, 2), [newer, { ...older, revokedAt: new Date(clock() - 1_000) }])
})
