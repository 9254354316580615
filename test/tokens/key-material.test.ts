import { generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto'
import t, { type Test } from 'tap'
import type { JwtAlgorithm } from '../../src/tokens/algorithms.js'
import { KeyRingError } from '../../src/tokens/key-ring-error.js'
import { parseKeyRing } from '../../src/tokens/key-ring.js'
import { newPrivateKey, newSecret } from '../support/key-rings.js'

const signers = {
  EdDSA: newPrivateKey('EdDSA'),
  ES256: newPrivateKey('ES256'),
  RS256: newPrivateKey('RS256')
}

function toPem(key: KeyObject): string {
  const type = key.type === 'private' ? 'pkcs8' : 'spki'
  return key.export({ type, format: 'pem' }).toString()
}

function toJwk(key: KeyObject): JsonWebKey {
  return key.export({ format: 'jwk' })
}

/** Expects the key to be refused by a sentence that starts with its kid and quotes nothing of it. */
function refused(t: Test, alg: JwtAlgorithm, key: unknown, message: RegExp, status = 'active') {
  const spare = { kid: 'spare', alg: 'EdDSA', key: toPem(signers.EdDSA), status: 'active' }
  const ring = [{ kid: 'k1', alg, key, status }, ...(status === 'active' ? [] : [spare])]
  const error: unknown = t.throws(() => parseKeyRing(ring), { message })
  const said = error instanceof KeyRingError ? error.message : ''
  t.match(said, /^The key "k1" [^\n]+\.$/)
  const quoted = longTexts(key).filter((text) => said.includes(text))
  t.same(quoted, [], 'no key material in the message')
}

function longTexts(key: unknown): string[] {
  const texts = typeof key === 'object' && key !== null ? Object.values(key) : [key]
  return texts.filter((text): text is string => typeof text === 'string' && text.length > 12)
}

t.test('a key must be strong enough for its algorithm', (t) => {
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
  const three = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })
  for (const form of [toPem, toJwk]) {
    refused(t, 'RS256', form(weak.privateKey), /at least 2048 bits/)
    refused(t, 'RS256', form(weak.publicKey), /at least 2048 bits/, 'verify')
    refused(t, 'RS256', form(three.privateKey), /public exponent 65537/)
  }
  for (const namedCurve of ['P-384', 'P-521', 'secp256k1']) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve })
    refused(t, 'ES256', toPem(privateKey), /P-256 for ES256/)
    refused(t, 'ES256', toJwk(privateKey), /P-256 for ES256/)
  }
  const { privateKey } = generateKeyPairSync('ed448')
  refused(t, 'EdDSA', toPem(privateKey), /Ed25519 key for EdDSA/)
  refused(t, 'EdDSA', toJwk(privateKey), /Ed25519 key for EdDSA/)
  t.end()
})

t.test('a key serves its own algorithm only', (t) => {
  const algorithms = ['EdDSA', 'ES256', 'RS256'] as const
  for (const alg of algorithms) {
    for (const other of algorithms.filter((name) => name !== alg)) {
      refused(t, alg, toPem(signers[other]), /must be an? .*for (?:EdDSA|ES256|RS256)/)
      refused(t, alg, toJwk(signers[other]), /must be a JWK with "kty"/)
    }
    refused(t, 'HS256', toPem(signers[alg]), /looks like a key document/)
    refused(t, 'HS256', toJwk(signers[alg]), /must be a JWK with "kty": "oct"/)
    refused(t, alg, { kty: 'oct', k: newSecret() }, /must be a JWK with "kty"/)
    refused(t, alg, newSecret(), /exactly one PEM block/)
  }
  const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
  refused(t, 'RS256', toPem(pss.privateKey), /must be an RSA key/)
  const x25519 = generateKeyPairSync('x25519')
  refused(t, 'EdDSA', toPem(x25519.privateKey), /Ed25519 key/)
  refused(t, 'EdDSA', toJwk(x25519.privateKey), /Ed25519 key/)
  t.end()
})

t.test('what a JWK says of its purpose is honoured', (t) => {
  const jwk = toJwk(signers.ES256)
  const wrong: [JsonWebKey, RegExp][] = [
    [{ alg: 'ES384' }, /"alg" is not ES256/],
    [{ alg: 'EdDSA' }, /"alg" is not ES256/],
    [{ alg: null }, /"alg" is not ES256/],
    [{ use: 'enc' }, /"use" is not "sig"/],
    [{ use: '' }, /"use" is not "sig"/],
    [{ use: ['sig'] }, /"use" is not "sig"/],
    [{ key_ops: 'sign' }, /"key_ops" is not a list/],
    [{ key_ops: ['sign', 'sign'] }, /"key_ops" is not a list of distinct/],
    [{ key_ops: ['sign', 'deriveKey'] }, /"key_ops" allows other things/],
    [{ key_ops: [1] }, /"key_ops" allows other things/],
    [{ key_ops: [] }, /"key_ops" does not allow it to sign/],
    [{ key_ops: ['verify'] }, /"key_ops" does not allow it to sign/],
    [{ kid: 'another' }, /another "kid"/]
  ]
  for (const [members, message] of wrong) refused(t, 'ES256', { ...jwk, ...members }, message)
  refused(t, 'HS256', { kty: 'oct', k: newSecret(), use: 'enc' }, /"use" is not "sig"/)
  refused(t, 'HS256', { kty: 'oct', k: newSecret(), alg: 'HS512' }, /"alg" is not HS256/)
  refused(t, 'ES256', { ...jwk, key_ops: [] }, /does not allow it to verify/, 'verify')
  const demoted = { kid: 'k1', alg: 'ES256', status: 'verify', key: { ...jwk, key_ops: ['sign'] } }
  const active = { kid: 'k2', alg: 'EdDSA', status: 'active', key: toPem(signers.EdDSA) }
  t.ok(parseKeyRing([active, demoted]), 'a demoted private key still verifies')
  t.end()
})

t.test('a private part that belongs to another public part is noticed', (t) => {
  const message = /does not belong to|are not those of its key|cannot be read/
  for (const algorithm of ['EdDSA', 'ES256', 'RS256'] as const) {
    const [mine, other] = [toJwk(signers[algorithm]), toJwk(newPrivateKey(algorithm))]
    // An RSA key signs with its primes, and d is not looked at.
    if (algorithm !== 'RS256') refused(t, algorithm, { ...mine, d: other.d }, message)
    refused(t, algorithm, { ...mine, ...publicMembers(other) }, message)
  }
  t.end()
})

function publicMembers({ x, y, n }: JsonWebKey): object {
  return Object.fromEntries(Object.entries({ x, y, n }).filter(([, value]) => value !== undefined))
}

t.test('what cannot be read is refused without quoting it', (t) => {
  const pem = toPem(signers.EdDSA)
  const jwk = toJwk(signers.ES256)
  const rsa = toJwk(signers.RS256)
  const encrypted = signers.RS256.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: 'passphrase'
  })
  const onePem = /exactly one PEM block: an unencrypted/
  refused(t, 'RS256', encrypted, onePem)
  refused(t, 'EdDSA', pem + pem, onePem)
  refused(t, 'EdDSA', pem.toLowerCase(), onePem)
  refused(t, 'EdDSA', pem.replaceAll('\n', '\\n'), /cannot be read/)
  refused(t, 'EdDSA', pem.replace(/\n.{20}/, '\n'), /cannot be read/)
  refused(t, 'EdDSA', '', onePem)
  for (const key of [undefined, null, 1, true, [jwk]]) {
    refused(t, 'ES256', key, /"key" as PEM text or as a JWK/)
  }
  refused(t, 'ES256', {}, /"kty": "EC"/)
  refused(t, 'ES256', { kty: 'EC' }, /cannot be read/)
  refused(t, 'ES256', { ...jwk, x: jwk.y }, /cannot be read/)
  refused(t, 'ES256', { ...jwk, x: 5 }, /cannot be read/)
  refused(t, 'ES256', { ...jwk, d: 5 }, /cannot be read/)
  refused(t, 'ES256', { ...jwk, x: `${String(jwk.x)}=` }, /public members are not those/)
  refused(t, 'RS256', { kty: 'RSA', e: 'AQAB', n: '' }, /2048 bits|not those/)
  refused(t, 'RS256', { ...rsa, p: undefined }, /cannot be read/)
  const zeros = { d: 'AA', p: 'AA', q: 'AA', dp: 'AA', dq: 'AA', qi: 'AA' }
  refused(t, 'RS256', { ...rsa, ...zeros }, /does not belong to its public part/)
  t.end()
})

t.test('the secret of an HS256 key is a string or canonical base64url', (t) => {
  for (const key of [undefined, null, 1, [newSecret()]]) {
    refused(t, 'HS256', key, /has no secret: "key" must be a string/)
  }
  for (const k of [
    undefined,
    1,
    '',
    `${newSecret()}=`,
    `${newSecret()}!`,
    newSecret().slice(0, -2)
  ]) {
    refused(t, 'HS256', { kty: 'oct', k }, /has no secret: "k" must be|is shorter than 32/)
  }
  refused(t, 'HS256', 'too short', /is shorter than 32 bytes/)
  refused(t, 'HS256', { kty: 'oct', k: Buffer.alloc(31, 'xy').toString('base64url') }, /shorter/)
  refused(t, 'HS256', { kty: 'oct', k: Buffer.alloc(32).toString('base64url') }, /one character/)
  t.end()
})
