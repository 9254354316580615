import { createPublicKey, type JsonWebKey } from 'node:crypto'
import t from 'tap'
import { publicJwks } from '../../src/tokens/jwks.js'
import { keyRingFromSecret, parseKeyRing } from '../../src/tokens/key-ring.js'
import { newEntry, newSecret } from '../support/key-rings.js'

const entries = {
  ed: newEntry('ed', 'EdDSA'),
  es: newEntry('es', 'ES256', 'verify'),
  rs: newEntry('rs', 'RS256', 'verify'),
  gone: newEntry('gone', 'ES256', 'retired')
}

t.test('the public parts of active and verifying keys are published, and nothing else', (t) => {
  const ring = parseKeyRing(Object.values(entries))
  const set = publicJwks(ring)
  t.same(
    set.keys.map((key) => Object.keys(key).sort()),
    [
      ['alg', 'crv', 'kid', 'kty', 'use', 'x'],
      ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
      ['alg', 'e', 'kid', 'kty', 'n', 'use']
    ]
  )
  t.match(set.keys, [
    { kid: 'ed', kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' },
    { kid: 'es', kty: 'EC', crv: 'P-256', alg: 'ES256', use: 'sig' },
    { kid: 'rs', kty: 'RSA', e: 'AQAB', alg: 'RS256', use: 'sig' }
  ])
  for (const [index, key] of ring.keys.entries()) {
    const jwk: JsonWebKey = set.keys[index] ?? {}
    t.ok(createPublicKey({ key: jwk, format: 'jwk' }).equals(key.verifyWith), 'it is the same key')
  }
  t.end()
})

t.test('no private member is in the text, whatever the ring was made of', (t) => {
  const text = JSON.stringify(publicJwks(parseKeyRing(Object.values(entries))))
  for (const { key } of Object.values(entries)) {
    const jwk: JsonWebKey = typeof key === 'object' && key !== null ? { ...key } : {}
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi'] as const) {
      const value = jwk[member]
      t.notOk(typeof value === 'string' && text.includes(value), member)
    }
  }
  t.end()
})

t.test('a secret is never published', (t) => {
  t.strictSame(publicJwks(keyRingFromSecret(newSecret())), { keys: [] })
  const ring = parseKeyRing([newEntry('a', 'HS256'), newEntry('b', 'HS256', 'verify')])
  t.strictSame(publicJwks(ring), { keys: [] })
  t.end()
})

t.test('the set cannot be changed by those who get it', (t) => {
  const set = publicJwks(parseKeyRing([entries.ed]))
  for (const part of [set, set.keys, set.keys[0]]) t.ok(Object.isFrozen(part))
  t.end()
})
