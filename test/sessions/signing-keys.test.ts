import t from 'tap'
import type { Database } from '../../src/database/connection.js'
import { type KeyRing, parseKeyRing } from '../../src/tokens/key-ring.js'
import { domainOf } from '../support/domain.js'
import { newEntry } from '../support/key-rings.js'
import { startKeycard } from '../support/keycard.js'
import { createManualClock } from '../support/manual-clock.js'
import { nobody } from '../support/origin.js'
import { refresh, sessionRow, tokensOf, verdict } from '../support/session-calls.js'

const [one, two, three] = [
  newEntry('one', 'EdDSA'),
  newEntry('two', 'EdDSA'),
  newEntry('three', 'EdDSA')
]
const ringOf = (active: 'one' | 'two' | 'three'): KeyRing =>
  parseKeyRing(
    [one, two, three].map((entry) => ({
      ...entry,
      status: entry.kid === active ? 'active' : 'verify'
    }))
  )
const { clock, advanceSeconds } = createManualClock()
const keycard = await startKeycard(t, { clock, keyRing: ringOf('one') })
const headerOf = (token: string) => JSON.parse(atob(token.split('.')[0] ?? '')) as { kid: string }

t.beforeEach(() => keycard.accessTokens.replaceKeyRing(ringOf('one')))

async function keysOf(sessionId: string): Promise<readonly string[]> {
  return (await sessionRow(keycard, sessionId)).keyIds
}

t.test('a session knows every key that ever signed for it, each once', async (t) => {
  const ada = await keycard.register()
  t.same(await keysOf(ada.sessionId), ['one'])
  const second = tokensOf(await refresh(keycard, ada.refreshToken))
  t.same(await keysOf(ada.sessionId), ['one'], 'the same key is not noted again')
  keycard.accessTokens.replaceKeyRing(ringOf('two'))
  const third = tokensOf(await refresh(keycard, second.refreshToken))
  t.same(await keysOf(ada.sessionId), ['one', 'two'])
  keycard.accessTokens.replaceKeyRing(ringOf('three'))
  advanceSeconds(1)
  const repeated = tokensOf(await refresh(keycard, second.refreshToken))
  t.equal(headerOf(repeated.accessToken).kid, 'three')
  t.same(await keysOf(ada.sessionId), ['one', 'two', 'three'], 'also of one that is answered again')
  keycard.accessTokens.replaceKeyRing(ringOf('one'))
  t.equal(verdict(await refresh(keycard, third.refreshToken)), 200)
  t.same(await keysOf(ada.sessionId), ['one', 'two', 'three'])
})

/** Replaces the key ring after the first statement that changes something. */
function changingKeysOn(real: Database, to: KeyRing): Database {
  const after = async <T>(work: Promise<T>) => {
    const result = await work
    keycard.accessTokens.replaceKeyRing(to)
    return result
  }
  return { ...real, write: (query) => after(real.write(query)) }
}

t.test('the key ring is replaced between the statement and the signature', async (t) => {
  const ada = await keycard.register()
  const database = changingKeysOn(keycard.app.database, ringOf('two'))
  const { sessions } = domainOf(keycard, { clock, database })
  const token = await sessions.authenticate(ada.refreshToken)
  if (token === undefined) throw new Error('The token is no good')
  const outcome = await sessions.rotate(token, nobody)
  if (outcome.kind !== 'rotated') throw new Error(outcome.kind)
  t.equal(headerOf(outcome.credentials.accessToken).kid, 'two')
  t.same(await keysOf(ada.sessionId), ['one', 'two'])
})

t.test('the key ring is replaced while a session is opened', async (t) => {
  const ada = await keycard.register()
  const { sessions } = domainOf(keycard, { clock })
  const client = { ip: '192.0.2.1', userAgent: null }
  const opened = await keycard.app.database.write(async (db) => {
    const opening = sessions.open(db, { id: ada.id, expectedVersion: 1 }, client, 'login')
    keycard.accessTokens.replaceKeyRing(ringOf('three'))
    return await opening
  })
  t.equal(headerOf(opened?.accessToken ?? '').kid, 'three')
  t.same(await keysOf(opened?.sessionId ?? ''), ['one', 'three'])
})
