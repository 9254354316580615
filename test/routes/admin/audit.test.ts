import t, { type Test } from 'tap'
import { recordAudit } from '../../../src/audit/events.js'
import { auditEvent } from '../../support/audit.js'
import type { AnsweredAuditEvent } from '../../support/client.js'
import { holdToContract } from '../../support/contract.js'
import { startKeycard } from '../../support/keycard.js'
import { registerAdmin, registerAs, setUser } from '../../support/operators.js'
import { refresh, tokensOf, verdict } from '../../support/session-calls.js'

const keycard = await startKeycard(t)
const admin = await registerAdmin(keycard)
const token = admin.accessToken
const path = '/api/admin/audit'

const ask = (query: string) => keycard.get(`${path}?${query}`, { token })

async function events(query: string): Promise<readonly AnsweredAuditEvent[]> {
  return (await ask(query)).body.events ?? []
}

const write = (fields: Parameters<typeof auditEvent>[0], at = new Date()) =>
  keycard.app.database.write((db) => recordAudit(db, auditEvent(fields), at))

t.test('an administrator reads who did what to whom, from where', async (t) => {
  const client = await holdToContract(t, keycard)
  const ada = await keycard.register()
  const answer = await client.get(`${path}?subject=${ada.id}`, { token })
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('cache-control'), 'no-store')
  t.same(Object.keys(answer.body).sort(), ['events', 'nextCursor'])
  t.equal(answer.body.nextCursor, null)
  const [opened, registered] = answer.body.events ?? []
  t.match(opened, { action: 'session.opened', subject: { kind: 'session', id: ada.sessionId } })
  const { id, occurredAt, ...rest } = registered ?? { id: '', occurredAt: '' }
  t.match({ id, occurredAt }, { id: /^[\da-f-]{36}$/, occurredAt: /^\d{4}-.+Z$/ })
  t.same(rest, {
    action: 'account.registered',
    outcome: 'success',
    actor: { kind: 'user', id: ada.id },
    subject: { kind: 'account', id: ada.id },
    userId: ada.id,
    ip: '127.0.0.1',
    reason: null,
    details: null,
    batch: null
  })
})

t.test('every kind of event keeps to the contract', async (t) => {
  const client = await holdToContract(t, keycard)
  const details = { list: [1, { deep: [true, null] }], text: 'é', nested: { a: {} } }
  await write({
    action: 'incident.started',
    origin: { actor: { kind: 'operator', name: 'root' }, ip: null },
    subject: null,
    userId: null,
    details
  })
  const answer = await client.get(`${path}?actor=root`, { token })
  t.match(answer.body.events, [
    { actor: { kind: 'operator', id: 'root' }, subject: null, userId: null, ip: null }
  ])
  t.strictSame(answer.body.events?.[0]?.details, details)
})

t.test('filters narrow it down', async (t) => {
  const [ada, eve] = [await keycard.register(), await keycard.register()]
  await keycard.patch('/api/auth/me', { token: ada.accessToken, body: { name: 'Ada L.' } })
  const actions = (found: readonly AnsweredAuditEvent[]) => found.map(({ action }) => action)
  const all = ['account.renamed', 'session.opened', 'account.registered']
  t.same(actions(await events(`actor=${ada.id}`)), all)
  t.same(actions(await events(`subject=${ada.id}`)), all)
  t.same(actions(await events(`subject=${eve.sessionId}`)), ['session.opened'])
  t.same(actions(await events(`actor=${ada.id}&action=account.renamed`)), ['account.renamed'])
  t.same(await events(`actor=${ada.id}&subject=${eve.id}`), [])

  const old = new Date('2020-02-01T12:00:00.500Z')
  await write({ reason: 'old' }, old)
  const reasons = async (query: string) => (await events(query)).map(({ reason }) => reason)
  t.same(await reasons('until=2020-02-02T00:00:00Z'), ['old'])
  t.same(await reasons('until=2020-02-01T12:00:00.5Z'), [])
  t.same(await reasons('since=2020-02-01T13:00:00.500%2B01:00&until=2021-01-01T00:00:00Z'), ['old'])
  t.same(await reasons('since=2020-02-01T12:00:00.501Z&until=2021-01-01T00:00:00Z'), [])
})

t.test('pages follow one another until there is none', async (t) => {
  const subject = { kind: 'account', id: 'paged' }
  for (let count = 0; count < 7; count++) await write({ subject, reason: String(count) })
  const found: (string | null)[] = []
  let cursor: string | null | undefined
  let pages = 0
  do {
    const more = cursor ? `&cursor=${cursor}` : ''
    const { body } = await ask(`subject=paged&limit=3${more}`)
    found.push(...(body.events ?? []).map(({ reason }) => reason))
    await write({ subject, reason: 'written meanwhile' })
    cursor = body.nextCursor
    pages++
  } while (cursor)
  t.same(found, ['6', '5', '4', '3', '2', '1', '0'])
  t.equal(pages, 3)
  t.equal((await events('')).length, Math.min(50, (await events('limit=200')).length))
})

t.test('what is no filter is refused', async (t) => {
  const good = 'A'.repeat(22)
  t.equal(verdict(await ask(`cursor=${good}`)), 200)
  for (const query of [
    'nothing=1',
    'batch=1',
    'Actor=x',
    'actor=',
    'actor=%01',
    'actor=a%0Ab',
    'actor=a&actor=b',
    `subject=${'x'.repeat(201)}`,
    'action=account',
    'action=account.registered%20',
    'since=yesterday',
    'since=2026-01-01',
    'since=2026-01-01T00:00:00',
    'since=2026-02-30T00:00:00Z',
    'since=2016-12-31T23:59:60Z',
    'since=1767225600000',
    'until=',
    'limit=0',
    'limit=201',
    'limit=-1',
    'limit=1.5',
    'limit=ten',
    'cursor=',
    'cursor=x',
    `cursor=${good}A`,
    `cursor=${'A'.repeat(21)}B`,
    `cursor=${'A'.repeat(21)}%3D`,
    `cursor=${admin.id}`,
    "cursor='%20or%201=1--"
  ]) {
    t.equal(verdict(await ask(query)), 'VALIDATION_FAILED', query)
  }
  t.equal(verdict(await keycard.send('POST', path, { token, body: {} })), 'METHOD_NOT_ALLOWED')
  t.equal(verdict(await keycard.send('DELETE', path, { token })), 'METHOD_NOT_ALLOWED')
})

t.test('nobody but an administrator of this moment reads it', async (t: Test) => {
  const tryTo = async (accessToken: string | undefined) =>
    verdict(await keycard.get(path, { token: accessToken }))
  t.equal(await tryTo(undefined), 'MISSING_TOKEN')
  t.equal(await tryTo('garbage'), 'INVALID_TOKEN')
  t.equal(await tryTo((await keycard.register()).accessToken), 'FORBIDDEN')
  t.equal(await tryTo((await registerAs(keycard, ['moderator', 'Admin'])).accessToken), 'FORBIDDEN')

  const early = await keycard.register()
  await setUser(keycard, early.id, { roles: ['admin'] })
  t.equal(await tryTo(early.accessToken), 'FORBIDDEN', 'the token is from before the promotion')
  t.equal(await tryTo(tokensOf(await refresh(keycard, early.refreshToken)).accessToken), 200)

  const downgraded = await registerAdmin(keycard)
  t.equal(await tryTo(downgraded.accessToken), 200)
  await setUser(keycard, downgraded.id, { roles: [] })
  t.equal(await tryTo(downgraded.accessToken), 'FORBIDDEN')

  const disabled = await registerAdmin(keycard)
  await setUser(keycard, disabled.id, { disabledAt: new Date() })
  t.equal(await tryTo(disabled.accessToken), 'TOKEN_REVOKED')

  const { accessToken } = await keycard.register()
  for (const trick of ['/api/admin/%61udit', '/api/admin/audit?limit=1', '/api/admin/audit#x']) {
    t.equal(verdict(await keycard.get(trick, { token: accessToken })), 'FORBIDDEN', trick)
  }
  for (const trick of ['/api/admin//audit', '/api/admin/audit/', '/api/admin/AUDIT']) {
    t.equal(verdict(await keycard.get(trick, { token: accessToken })), 'NOT_FOUND', trick)
  }
  t.equal((await keycard.send('HEAD', path, { token: accessToken })).status, 403)
  const overridden = await keycard.get(path, {
    token: accessToken,
    headers: { 'x-http-method-override': 'OPTIONS', 'x-original-url': '/health/live' }
  })
  t.equal(verdict(overridden), 'FORBIDDEN')
})
