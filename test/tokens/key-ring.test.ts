import { generateKeyPairSync } from 'node:crypto'
import t, { type Test } from 'tap'
import { jwtAlgorithms, type JwtAlgorithm } from '../../src/tokens/algorithms.js'
import { KeyRingError } from '../../src/tokens/key-ring-error.js'
import { keyRingFromSecret, parseKeyRing, parseKeyRingText } from '../../src/tokens/key-ring.js'
import { newEntry, newPrivateKey, newSecret } from '../support/key-rings.js'

const ed = newEntry('ed', 'EdDSA')
const es = newEntry('es', 'ES256')
const rs = newEntry('rs', 'RS256')
const hs = newEntry('hs', 'HS256')

/** Expects a refusal whose message says so much, and does not quote what it refuses. */
function refused(t: Test, json: unknown, message: RegExp, algorithm?: JwtAlgorithm): void {
  const error = t.throws(() => parseKeyRing(json, algorithm), { message })
  t.ok(error instanceof KeyRingError, 'it is a KeyRingError')
  t.equal(error instanceof Error ? error.cause : undefined, undefined, 'without a cause')
}

t.test('a ring has one active key, finds keys by their kid and leaves out retired ones', (t) => {
  const next = { ...es, status: 'verify' }
  const ring = parseKeyRing([{ ...rs, status: 'retired' }, ed, next], 'EdDSA')
  t.equal(ring.active.kid, 'ed')
  t.same(
    ring.keys.map(({ kid, algorithm, status }) => [kid, algorithm, status]),
    [
      ['ed', 'EdDSA', 'active'],
      ['es', 'ES256', 'verify']
    ]
  )
  t.equal(ring.find('ed'), ring.active)
  t.equal(ring.find('es')?.algorithm, 'ES256')
  for (const kid of ['rs', 'ED', '', '__proto__', 'constructor']) t.equal(ring.find(kid), undefined)
  t.end()
})

t.test('keys are read from PEM, from JWKs and, for HS256, from secrets', (t) => {
  for (const algorithm of ['EdDSA', 'ES256', 'RS256'] as const) {
    const key = newPrivateKey(algorithm)
    const pem = key.export({ type: 'pkcs8', format: 'pem' })
    const jwk = key.export({ format: 'jwk' })
    for (const form of [
      pem,
      jwk,
      { ...jwk, alg: algorithm, use: 'sig', key_ops: ['sign'], kid: 'k' }
    ]) {
      const entry = { kid: 'k', alg: algorithm, status: 'active', key: form }
      t.equal(parseKeyRing([entry]).active.signWith.type, 'private')
    }
  }
  const ec = newPrivateKey('ES256').export({ type: 'sec1', format: 'pem' })
  const rsa = newPrivateKey('RS256').export({ type: 'pkcs1', format: 'pem' })
  t.ok(parseKeyRing([{ ...es, key: ec }]), 'SEC 1')
  t.ok(parseKeyRing([{ ...rs, key: rsa }]), 'PKCS #1')
  t.ok(parseKeyRing([{ ...hs, key: { kty: 'oct', k: newSecret(), alg: 'HS256' } }]))
  const edwards = { ...newPrivateKey('EdDSA').export({ format: 'jwk' }), alg: 'Ed25519' }
  t.ok(parseKeyRing([{ ...ed, key: edwards }]), 'the name of RFC 9864')
  t.end()
})

t.test('a key that only verifies may be public', (t) => {
  for (const algorithm of ['EdDSA', 'ES256', 'RS256'] as const) {
    const { publicKey } =
      algorithm === 'EdDSA' ? generateKeyPairSync('ed25519') : publicOf(algorithm)
    const forms = [
      publicKey.export({ type: 'spki', format: 'pem' }),
      { ...publicKey.export({ format: 'jwk' }), key_ops: ['verify'], use: 'sig' }
    ]
    for (const key of forms) {
      const ring = parseKeyRing([ed, { kid: 'other', alg: algorithm, status: 'verify', key }])
      t.equal(ring.find('other')?.verifyWith.type, 'public')
      const active = [{ kid: 'other', alg: algorithm, status: 'active', key }]
      refused(t, active, /^The key "other" .*(only its public part|does not allow it to sign)/)
    }
  }
  t.end()
})

function publicOf(algorithm: 'ES256' | 'RS256') {
  return algorithm === 'ES256'
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('rsa', { modulusLength: 2048 })
}

t.test('of a verifying key the private part is dropped', (t) => {
  const ring = parseKeyRing([ed, { ...es, status: 'verify' }])
  t.equal(ring.find('es')?.verifyWith.type, 'public')
  t.notOk('signWith' in (ring.find('es') ?? {}))
  t.end()
})

t.test('the list and its entries must have the documented form', (t) => {
  for (const json of [undefined, null, {}, { keys: [ed] }, 'x', 1]) {
    refused(t, json, /must be a JSON array/)
  }
  for (const entry of [null, 'x', 1, []]) refused(t, [ed, entry], /^Entry 2 .* JSON object/)
  const kids = [undefined, null, 1, '', 'k'.repeat(129), 'a b', 'a/b', 'a\n', 'é', ['k'], {}]
  for (const kid of kids) refused(t, [{ ...ed, kid }], /^Entry 1 .*"kid" of 1 to 128/)
  t.ok(parseKeyRing([{ ...ed, kid: 'k'.repeat(128) }]))
  for (const alg of [undefined, 'none', 'HS512', 'eddsa', 'PS256', ['EdDSA'], null]) {
    refused(t, [{ ...ed, alg }], /^The key "ed" must have an "alg" of HS256, EdDSA, ES256, RS256/)
  }
  for (const status of [undefined, 'Active', 'next', null, true]) {
    refused(t, [{ ...ed, status }], /^The key "ed" must have a "status" of active, verify, retired/)
  }
  refused(t, [{ ...ed, stauts: 'retired' }], /^The key "ed" may have the members kid, alg, key/)
  t.end()
})

t.test('exactly one key is active, and no kid is there twice', (t) => {
  const exactlyOne = /exactly one key with "status": "active"/
  refused(t, [], exactlyOne)
  refused(t, [{ ...ed, status: 'verify' }], exactlyOne)
  refused(t, [{ ...ed, status: 'retired' }], exactlyOne)
  refused(t, [ed, es], exactlyOne)
  refused(t, [ed, { ...es, kid: 'ed', status: 'verify' }], /^The key "ed" is there twice/)
  refused(t, [ed, { ...es, kid: 'ed', status: 'retired' }], /^The key "ed" is there twice/)
  t.end()
})

t.test('the active key is for the algorithm that the service is set to', (t) => {
  for (const algorithm of jwtAlgorithms.filter((name) => name !== 'EdDSA')) {
    refused(t, [ed], /^The key "ed" is active and for EdDSA, but .* sign with/, algorithm)
  }
  t.end()
})

t.test('symmetric and asymmetric keys are not mixed', (t) => {
  refused(t, [ed, { ...hs, status: 'verify' }], /^The key "hs" is for HS256 .* beside EdDSA/)
  refused(t, [hs, { ...rs, status: 'verify' }], /^The key "rs" is for RS256 .* beside HS256/)
  t.ok(parseKeyRing([ed, { ...hs, status: 'retired' }]), 'a retired key is in nobody’s way')
  t.end()
})

t.test('one key has one kid, retired ones included', (t) => {
  const again = { ...ed, kid: 'again' }
  refused(t, [ed, { ...again, status: 'verify' }], /^The key "again" is the same as the key "ed"/)
  refused(t, [ed, { ...again, status: 'retired' }], /^The key "again" is the same as the key "ed"/)
  refused(t, [hs, { ...hs, kid: 'h2', status: 'retired' }], /^The key "h2" is the same/)
  t.end()
})

t.test('a retired key need not be given and is not judged', (t) => {
  for (const key of [undefined, null, 'secret', { kty: 'RSA' }]) {
    t.ok(parseKeyRing([ed, { kid: 'gone', alg: 'RS256', status: 'retired', key }]))
  }
  t.end()
})

t.test('the text of a file is parsed without ever quoting it', (t) => {
  t.equal(parseKeyRingText(JSON.stringify([ed]), 'EdDSA').active.kid, 'ed')
  const text = JSON.stringify([ed]).slice(0, -2)
  t.throws(() => parseKeyRingText(text), new KeyRingError('The key ring is not valid JSON.'))
  t.end()
})

t.test('a secret alone is a ring of one HS256 key whose kid tells nothing of it', (t) => {
  const secret = newSecret()
  const ring = keyRingFromSecret(secret)
  t.equal(ring.active.algorithm, 'HS256')
  t.match(ring.active.kid, /^[A-Za-z0-9_-]{16}$/)
  t.notOk(secret.includes(ring.active.kid))
  t.equal(ring.find(ring.active.kid), ring.active)
  t.equal(ring.keys.length, 1)
  t.equal(keyRingFromSecret(secret).active.kid, ring.active.kid)
  t.throws(() => keyRingFromSecret('short'), { message: /^The JWT secret is shorter than 32/ })
  t.end()
})
