import fc from 'fast-check'
import t from 'tap'
import { jwtAlgorithms } from '../../src/tokens/algorithms.js'
import { newKeyRing } from '../support/key-rings.js'
import { createForge } from '../support/token-forge.js'
import { createTestTokens, newGrant, startMs, ttlSeconds } from '../support/token-service.js'

const base64url = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const character = fc.oneof(
  fc.constantFrom(...base64url),
  fc.constant('.'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })
)

for (const algorithm of jwtAlgorithms) {
  t.test(`no single character of a ${algorithm} token can be changed, added or left out`, (t) => {
    const tokens = createTestTokens(newKeyRing(algorithm))
    const { token } = tokens.issue(newGrant())
    const change = fc.record({
      at: fc.nat(token.length - 1),
      replacement: fc.oneof(character, fc.constant('')),
      keep: fc.boolean()
    })
    fc.assert(
      fc.property(change, ({ at, replacement, keep }) => {
        const spoilt = token.slice(0, at) + replacement + token.slice(keep ? at : at + 1)
        fc.pre(spoilt !== token)
        return tokens.verify(spoilt).kind === 'invalid'
      }),
      { numRuns: 400 }
    )
    t.end()
  })
}

t.test('what is issued is verified with the same claims', (t) => {
  const tokens = createTestTokens(newKeyRing('HS256'))
  const counter = fc.nat({ max: Number.MAX_SAFE_INTEGER })
  const grants = fc.record({
    userId: fc.uuid(),
    sessionId: fc.uuid(),
    version: counter,
    generation: counter,
    roles: fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 10 })
  })
  fc.assert(
    fc.property(grants, (grant) => {
      const { token, claims } = tokens.issue(grant)
      const verdict = tokens.verify(token)
      t.strictSame(verdict, { kind: 'valid', claims })
      t.strictSame(claims.roles, grant.roles)
    })
  )
  t.end()
})

t.test('nothing a stranger can write is accepted, and nothing throws', (t) => {
  const tokens = createTestTokens(newKeyRing('HS256'))
  const segment = fc.oneof(
    fc.string({ unit: fc.constantFrom(...base64url) }),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
    fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64url'))
  )
  const strangers = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(segment, { maxLength: 5 }).map((segments) => segments.join('.'))
  )
  fc.assert(
    fc.property(strangers, (token) => tokens.verify(token).kind === 'invalid'),
    { numRuns: 1000 }
  )
  t.end()
})

t.test('no signed payload is accepted but the known claims in their types', (t) => {
  const keyRing = newKeyRing('HS256')
  const tokens = createTestTokens(keyRing)
  const { claims } = tokens.issue(newGrant())
  const forge = createForge({ key: keyRing.active, claims, ttlSeconds })
  const name = fc.constantFrom(...forge.payload.map(([member]) => member))
  fc.assert(
    fc.property(name, fc.jsonValue(), (spoilt, value) => {
      const token = forge.token(forge.header, JSON.stringify({ ...claims, [spoilt]: value }))
      const verdict = tokens.verify(token)
      if (verdict.kind === 'invalid') return true
      const kept = Object.entries(verdict.claims).find(([member]) => member === spoilt)
      t.strictSame(kept, [spoilt, value])
      return verdict.kind === 'valid'
    }),
    { numRuns: 500 }
  )
  t.end()
})

t.test('at any time a token is valid only from 30 seconds before iat until exp', (t) => {
  const keyRing = newKeyRing('HS256')
  const time = { nowMs: startMs }
  const tokens = createTestTokens(keyRing, { clock: () => time.nowMs })
  const { token, claims } = tokens.issue(newGrant())
  const near = fc.integer({ min: startMs - 60_000, max: startMs + (ttlSeconds + 60) * 1000 })
  const clocks = fc.oneof(near, fc.double(), fc.maxSafeInteger())
  fc.assert(
    fc.property(clocks, (nowMs) => {
      time.nowMs = nowMs
      const { kind } = tokens.verify(token)
      const started = nowMs + 30_000 >= claims.iat * 1000
      const ended = nowMs >= claims.exp * 1000
      return kind === (!started ? 'invalid' : ended ? 'expired' : 'valid')
    }),
    { numRuns: 400 }
  )
  t.end()
})
