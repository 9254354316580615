import { randomUUID } from 'node:crypto'
import t from 'tap'
import { startKeycard } from '../../support/keycard.js'
import { registerAdmin } from '../../support/operators.js'
import { verdict } from '../../support/session-calls.js'

const keycard = await startKeycard(t)
const admin = await registerAdmin(keycard)
const token = admin.accessToken

const list = (query = '') => keycard.get(`/api/admin/revocations${query}`, { token })

async function revokeToken(reason: string): Promise<string> {
  const body = { target: { kind: 'token', jti: randomUUID() }, reason }
  const answer = await keycard.post('/api/admin/revocations', { token, body })
  return answer.body.revocation?.id ?? ''
}

t.test('what was revoked, by whom and why, newest first', async (t) => {
  t.same((await list()).body, { revocations: [], nextCursor: null })
  const ada = await keycard.register()
  await keycard.post('/api/auth/logout', { token: ada.accessToken })
  const bob = await keycard.register()
  const body = { target: { kind: 'user', id: bob.id }, reason: 'stolen laptop' }
  const { body: answered } = await keycard.post('/api/admin/revocations', { token, body })
  const { body: history } = await list()
  const [ofBob, ofAda] = history.revocations ?? []
  t.match(ofBob, { ...answered.revocation, confirmedAt: /^\d{4}-.+Z$/ })
  t.match(ofAda, { kind: 'session', target: ada.sessionId, reason: 'logout', actorId: ada.id })
  t.same(Object.keys(ofAda ?? {}).sort(), [
    'actorId',
    'confirmedAt',
    'createdAt',
    'id',
    'kind',
    'liveUntil',
    'reason',
    'target'
  ])
})

t.test('page by page each comes once, while others are made', async (t) => {
  const made: string[] = []
  for (let index = 0; index < 7; index++) made.push(await revokeToken(`number ${index}`))
  const seen: string[] = []
  let cursor: string | null | undefined
  do {
    const { body } = await list(`?limit=2${cursor ? `&cursor=${cursor}` : ''}`)
    t.ok((body.revocations?.length ?? 0) <= 2)
    seen.push(...(body.revocations ?? []).map(({ id }) => id))
    cursor = body.nextCursor
    await revokeToken('meanwhile')
  } while (cursor)
  t.equal(new Set(seen).size, seen.length)
  t.same(
    seen.filter((id) => made.includes(id)),
    made.toReversed()
  )
})

t.test('a question that is none is refused', async (t) => {
  const { body } = await keycard.get('/api/admin/users?limit=1', { token })
  const place = Buffer.from(`revocations:${randomUUID()}`).toString('base64url')
  t.equal(verdict(await list(`?cursor=${place}`)), 200)
  for (const query of [
    'cursor=',
    'cursor=x',
    `cursor=${body.nextCursor ?? 'users'}`,
    `cursor=${place}&cursor=${place}`,
    'limit=0',
    'limit=201',
    'reason=x',
    'search=x',
    'cursor[$gt]='
  ]) {
    t.equal(verdict(await list(`?${query}`)), 'VALIDATION_FAILED', query)
  }
})
