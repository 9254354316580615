import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import {
  createRefreshTokens,
  newSalt,
  parseRefreshToken
} from '../../src/sessions/refresh-token.js'

const secret = 'a-secret-that-is-long-enough-for-an-hmac-key'
const tokens = createRefreshTokens(secret)
const counter = fc.integer({ min: 0, max: 0xffffffff })

t.test('what was minted parses and is genuine', async () => {
  fc.assert(
    fc.property(fc.uuid(), counter, (sessionId, count) => {
      const salt = newSalt()
      const parsed = parseRefreshToken(tokens.mint(sessionId, count, salt))
      return (
        parsed?.sessionId === sessionId &&
        parsed.counter === count &&
        tokens.isGenuine(parsed, salt)
      )
    })
  )
})

t.test('no change of a single character is genuine', async () => {
  const sessionId = randomUUID()
  const salt = newSalt()
  const token = tokens.mint(sessionId, 7, salt)
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/. '
  for (let index = 0; index < token.length; index++) {
    for (const character of alphabet) {
      if (character === token[index]) continue
      const changed = token.slice(0, index) + character + token.slice(index + 1)
      const parsed = parseRefreshToken(changed)
      if (parsed !== undefined && tokens.isGenuine(parsed, salt)) t.fail(changed)
    }
  }
})

t.test('another counter, session, salt or secret makes another token', async (t) => {
  const sessionId = randomUUID()
  const salt = newSalt()
  const parsed = parseRefreshToken(tokens.mint(sessionId, 1, salt))
  t.ok(parsed)
  if (parsed === undefined) return
  t.equal(tokens.isGenuine({ ...parsed, counter: 2 }, salt), false)
  t.equal(tokens.isGenuine({ ...parsed, sessionId: randomUUID() }, salt), false)
  t.equal(tokens.isGenuine(parsed, newSalt()), false)
  t.equal(createRefreshTokens(`${secret}!`).isGenuine(parsed, salt), false)
})

t.test('anything else is no token, and nothing throws', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.base64String()), (text) => {
      const parsed = parseRefreshToken(text)
      return parsed === undefined || text.length === 70
    })
  )
})
