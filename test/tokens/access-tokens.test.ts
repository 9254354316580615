import t from 'tap'
import { jwtAlgorithms } from '../../src/tokens/algorithms.js'
import type { Verification } from '../../src/tokens/verification.js'
import { newKeyRing } from '../support/key-rings.js'
import { createForge, encode, membersOf, withMember } from '../support/token-forge.js'
import {
  audience,
  createTestTokens,
  issuer,
  newGrant,
  startMs,
  ttlSeconds
} from '../support/token-service.js'

const startSeconds = startMs / 1000

function decode(token: string) {
  return token
    .split('.', 2)
    .map((segment) => Buffer.from(segment, 'base64url').toString())
    .join('')
}

function claimsOf(verdict: Verification) {
  if (verdict.kind !== 'valid') throw new Error(`The token is ${verdict.kind}`)
  return verdict.claims
}

/** A service whose clock the test sets, with a forge for its active key. */
function setUp() {
  const keyRing = newKeyRing('HS256')
  const time = { nowMs: startMs }
  const tokens = createTestTokens(keyRing, { clock: () => time.nowMs })
  const issued = tokens.issue(newGrant())
  const forge = createForge({ key: keyRing.active, claims: issued.claims, ttlSeconds })
  return { tokens, time, forge, ...issued }
}

for (const algorithm of jwtAlgorithms) {
  t.test(`a token issued with ${algorithm} has exactly the documented header and claims`, (t) => {
    const keyRing = newKeyRing(algorithm, 'the-kid')
    const tokens = createTestTokens(keyRing)
    const { userId, sessionId } = newGrant()
    const roles = ['user', 'admin']
    const grant = { userId, sessionId, version: 3, generation: 7, roles }
    const { token, claims, expiresInSeconds } = tokens.issue(grant)

    const expected = {
      iss: issuer,
      aud: audience,
      sub: userId,
      sid: sessionId,
      jti: claims.jti,
      iat: startSeconds,
      exp: startSeconds + ttlSeconds,
      ver: 3,
      gen: 7,
      roles
    }
    const header = { alg: algorithm, typ: 'at+jwt', kid: 'the-kid' }
    t.equal(decode(token), JSON.stringify(header) + JSON.stringify(expected))
    t.strictSame(claims, expected)
    t.equal(expiresInSeconds, ttlSeconds)
    t.match(claims.jti, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    t.not(tokens.issue(grant).claims.jti, claims.jti, 'another token has another id')
    t.strictSame(tokens.verify(token), { kind: 'valid', claims })
    t.end()
  })
}

t.test('verified claims are frozen to the bottom, and the same for every call', (t) => {
  const { tokens, forge } = setUp()
  const aud = withMember(forge.payload, 'aud', JSON.stringify(['other', audience]))
  const token = forge.token(forge.header, aud)
  const [first, second] = [tokens.verify(token), tokens.verify(token)]
  for (const value of [first, claimsOf(first), claimsOf(first).roles, claimsOf(first).aud]) {
    t.ok(Object.isFrozen(value))
  }
  t.equal(first, second)
  t.end()
})

t.test('what the strict reading still allows is valid', (t) => {
  const { tokens, forge, claims } = setUp()
  const { header, payload } = forge
  const accepted: [string, string][] = [
    ['typ in capitals', forge.token(withMember(header, 'typ', '"AT+JWT"'), payload)],
    ['typ in full', forge.token(withMember(header, 'typ', '"Application/at+JWT"'), payload)],
    ['another order of members', forge.token([...header].reverse(), [...payload].reverse())],
    ['blanks between members', forge.token(header, JSON.stringify(claims, null, 2))],
    ['no roles', forge.token(header, withMember(payload, 'roles', '[]'))],
    ['an unknown claim', forge.token(header, [...payload, ['extra', '{"a":[1,{"b":"-1.5e3"}]}']])],
    ['nbf now', forge.token(header, [...payload, ['nbf', String(startSeconds)]])],
    ['a shorter life', forge.token(header, withMember(payload, 'exp', String(claims.iat + 1)))],
    [
      'a UUID of another version',
      forge.token(header, withMember(payload, 'sub', '"6ba7b810-9dad-11d1-80b4-00c04fd430c8"'))
    ]
  ]
  for (const [name, token] of accepted) {
    const verdict = tokens.verify(token)
    t.equal(verdict.kind, 'valid', name)
    if (verdict.kind === 'valid') {
      t.strictSame(Object.keys(verdict.claims), Object.keys(claims), 'exactly the known claims')
    }
  }
  t.end()
})

t.test('a token is valid to the last millisecond before exp, and expired from then on', (t) => {
  const { tokens, time, token, claims } = setUp()
  time.nowMs = claims.exp * 1000 - 1
  t.equal(tokens.verify(token).kind, 'valid')
  time.nowMs = claims.exp * 1000
  t.strictSame(tokens.verify(token), { kind: 'expired', claims })
  time.nowMs = Number.MAX_SAFE_INTEGER
  t.equal(tokens.verify(token).kind, 'expired')
  t.end()
})

t.test('a token may come from a clock that is 30 seconds ahead, and no more', (t) => {
  const { tokens, time, token, forge } = setUp()
  time.nowMs = startMs - 30_000
  t.equal(tokens.verify(token).kind, 'valid')
  time.nowMs = startMs - 30_001
  t.strictSame(tokens.verify(token), { kind: 'invalid', reason: 'claim-iat' })

  const later = forge.token(forge.header, [...forge.payload, ['nbf', String(startSeconds + 60)]])
  time.nowMs = startMs + 30_000
  t.equal(tokens.verify(later).kind, 'valid')
  time.nowMs = startMs + 29_999
  t.strictSame(tokens.verify(later), { kind: 'invalid', reason: 'claim-nbf' })
  t.end()
})

t.test('expired is said only of tokens with nothing else wrong', (t) => {
  const { tokens, time, forge, token } = setUp()
  const { header, payload, genuine } = forge
  time.nowMs = startMs + ttlSeconds * 1000
  const [headerSegment = '', payloadSegment = ''] = token.split('.')
  const wrong: [string, string][] = [
    ['bad-signature', `${headerSegment}.${payloadSegment}.${'A'.repeat(43)}`],
    ['claim-aud', forge.token(header, withMember(payload, 'aud', '"other"'))],
    ['claim-iss', forge.token(header, withMember(payload, 'iss', '"other"'))],
    ['claim-sub', forge.token(header, withMember(payload, 'sub', '"other"'))],
    ['claim-roles', forge.token(header, withMember(payload, 'roles', '[1]'))],
    ['header-typ', forge.token(withMember(header, 'typ', '"JWT"'), payload)]
  ]
  for (const [reason, spoilt] of wrong) {
    t.strictSame(tokens.verify(spoilt), { kind: 'invalid', reason })
  }
  t.equal(tokens.verify(genuine).kind, 'expired', 'the control')
  t.end()
})

t.test('a longest lifetime that was shortened holds for older tokens too', (t) => {
  const keyRing = newKeyRing('HS256')
  const { token } = createTestTokens(keyRing).issue(newGrant())
  const stricter = createTestTokens(keyRing, { ttlSeconds: ttlSeconds - 1 })
  t.strictSame(stricter.verify(token), { kind: 'invalid', reason: 'claim-exp' })
  t.end()
})

t.test('verification never throws, whatever it is given', (t) => {
  const { tokens, token } = setUp()
  const inputs: unknown[] = [undefined, null, 1, {}, [], [token], Object(token), Symbol('x')]
  const verify: (token: never) => unknown = tokens.verify
  for (const input of inputs) {
    t.strictSame(verify(input as never), { kind: 'invalid', reason: 'not-a-string' })
  }
  t.end()
})

t.test('a clock that fails makes tokens invalid', (t) => {
  const keyRing = newKeyRing('HS256')
  const { token } = createTestTokens(keyRing).issue(newGrant())
  const throwing = createTestTokens(keyRing, {
    clock: () => {
      throw new Error('no time')
    }
  })
  t.strictSame(throwing.verify(token), { kind: 'invalid', reason: 'unexpected-error' })
  const timeless = createTestTokens(keyRing, { clock: () => NaN })
  t.strictSame(timeless.verify(token), { kind: 'invalid', reason: 'claim-iat' })
  t.end()
})

t.test('a token that would be refused is not issued', (t) => {
  const { tokens } = setUp()
  t.throws(() => tokens.issue(newGrant({ userId: 'admin' })), /with this sub$/)
  t.throws(() => tokens.issue(newGrant({ sessionId: newGrant().sessionId.toUpperCase() })), /sid/)
  t.throws(() => tokens.issue(newGrant({ version: -1 })), /ver/)
  t.throws(() => tokens.issue(newGrant({ generation: 0.5 })), /gen/)
  t.throws(() => tokens.issue(newGrant({ roles: Array(500).fill('moderator') })), /too long/)
  t.end()
})

t.test('two spellings of an ES256 signature carry one jti: the text is no identity', (t) => {
  const keyRing = newKeyRing('ES256')
  const tokens = createTestTokens(keyRing)
  const { token, claims } = tokens.issue(newGrant())
  const order = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
  const [header = '', payload = '', signature = ''] = token.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const s = order - BigInt(`0x${bytes.toString('hex', 32)}`)
  const twin = Buffer.concat([
    bytes.subarray(0, 32),
    Buffer.from(s.toString(16).padStart(64, '0'), 'hex')
  ])
  const verdict = tokens.verify(`${header}.${payload}.${twin.toString('base64url')}`)
  t.strictSame(verdict, { kind: 'valid', claims })
  t.end()
})

t.test('a kid selects its own key and no other', (t) => {
  const [first, second] = [newKeyRing('EdDSA', 'first'), newKeyRing('EdDSA', 'second')]
  const tokens = createTestTokens(first)
  const { claims } = tokens.issue(newGrant())
  const header = membersOf({ alg: 'EdDSA', typ: 'at+jwt', kid: 'first' })
  const forge = createForge({ key: second.active, claims, ttlSeconds })
  const token = forge.signed(encode(header), encode(forge.payload))
  t.strictSame(tokens.verify(token), { kind: 'invalid', reason: 'bad-signature' })
  t.strictSame(tokens.verify(forge.genuine), { kind: 'invalid', reason: 'unknown-key' })
  t.end()
})
