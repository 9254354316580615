import t from 'tap'
import { jwtAlgorithms } from '../../src/tokens/algorithms.js'
import type { KeyRingEntry, KeyStatus } from '../../src/tokens/key-ring-entry.js'
import { keyRingFromSecret, parseKeyRing } from '../../src/tokens/key-ring.js'
import { newEntry, newSecret } from '../support/key-rings.js'
import { createTestTokens, newGrant } from '../support/token-service.js'

const unknownKey = { kind: 'invalid', reason: 'unknown-key' }

function as(status: KeyStatus, entry: KeyRingEntry): KeyRingEntry {
  return { ...entry, status }
}

for (const algorithm of jwtAlgorithms) {
  t.test(`rotating ${algorithm} keys with an overlap loses no token`, (t) => {
    const [old, next] = [newEntry('old', algorithm), newEntry('next', algorithm)]
    const tokens = createTestTokens(parseKeyRing([old]))
    const before = tokens.issue(newGrant())

    // The next key is announced first, so that no node meets a token it can't verify.
    tokens.replaceKeyRing(parseKeyRing([old, as('verify', next)]))
    t.equal(tokens.verify(before.token).kind, 'valid')
    tokens.replaceKeyRing(parseKeyRing([as('verify', old), next]))
    const after = tokens.issue(newGrant())
    t.equal(tokens.verify(before.token).kind, 'valid')
    t.equal(tokens.verify(after.token).kind, 'valid')

    tokens.replaceKeyRing(parseKeyRing([as('retired', old), next]))
    t.strictSame(tokens.verify(before.token), unknownKey)
    t.equal(tokens.verify(after.token).kind, 'valid')
    t.end()
  })
}

t.test('an emergency retirement kills at once what the key signed', (t) => {
  const [stolen, fresh] = [newEntry('stolen', 'EdDSA'), newEntry('fresh', 'EdDSA')]
  const tokens = createTestTokens(parseKeyRing([stolen]))
  const { token } = tokens.issue(newGrant())
  t.equal(tokens.verify(token).kind, 'valid')
  tokens.replaceKeyRing(parseKeyRing([as('retired', stolen), fresh]))
  t.strictSame(tokens.verify(token), unknownKey)
  t.strictSame(
    tokens.jwks().keys.map((key) => key['kid']),
    ['fresh']
  )
  t.end()
})

t.test('another secret has another kid and ends all tokens of the one before', (t) => {
  const tokens = createTestTokens(keyRingFromSecret(newSecret()))
  const { token } = tokens.issue(newGrant())
  tokens.replaceKeyRing(keyRingFromSecret(newSecret()))
  t.strictSame(tokens.verify(token), unknownKey)
  t.end()
})

t.test('two nodes with one secret accept each other', (t) => {
  const secret = newSecret()
  const [one, other] = [keyRingFromSecret(secret), keyRingFromSecret(secret)]
  const { token } = createTestTokens(one).issue(newGrant())
  t.equal(createTestTokens(other).verify(token).kind, 'valid')
  t.end()
})

t.test('a verifying service without the private key accepts what the issuer signed', (t) => {
  const [entry, own] = [newEntry('issuer', 'ES256'), newEntry('own', 'ES256')]
  const issuer = createTestTokens(parseKeyRing([entry]))
  const [published] = issuer.jwks().keys
  const ring = parseKeyRing([
    own,
    { kid: 'issuer', alg: 'ES256', status: 'verify', key: published }
  ])
  t.equal(createTestTokens(ring).verify(issuer.issue(newGrant()).token).kind, 'valid')
  t.end()
})
