import { createSecretKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import type { JwtAlgorithm } from '../../../src/tokens/algorithms.js'
import { encode, signatureOf, withMember, type Forge } from '../token-forge.js'
import type { Mutation } from './mutation.js'

/** Tokens that look right and are not signed by the key, or not by it for this. */
export function signatureMutations(forge: Forge): Mutation[] {
  return [
    ...alteredMutations(forge),
    ...foreignKeyMutations(forge),
    ...confusionMutations(forge),
    ...(forge.key.algorithm === 'ES256' ? ecdsaMutations(forge) : [])
  ]
}

function alteredMutations({ genuine, header, payload, token, claims }: Forge): Mutation[] {
  const [headerSegment = '', payloadSegment = '', signature = ''] = genuine.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const withSignature = (value: Buffer) =>
    `${headerSegment}.${payloadSegment}.${value.toString('base64url')}`
  const flipped = (index: number) => {
    const copy = Buffer.from(bytes)
    copy[index] = (copy[index] ?? 0) ^ 1
    return withSignature(copy)
  }
  const admin = withMember(payload, 'roles', '["admin"]')
  const other = withMember(payload, 'sub', '"00000000-0000-4000-8000-000000000000"')
  const [, , otherSignature = ''] = token(header, other).split('.')
  const altered: [string, string][] = [
    ['the first bit of the signature flipped', flipped(0)],
    ['a bit in the middle flipped', flipped(bytes.length >> 1)],
    ['the last bit flipped', flipped(bytes.length - 1)],
    ['a byte less of signature', withSignature(bytes.subarray(0, -1))],
    ['a byte more of signature', withSignature(Buffer.concat([bytes, Buffer.alloc(1)]))],
    ['half a signature', withSignature(bytes.subarray(0, bytes.length / 2))],
    ['a byte of signature', withSignature(bytes.subarray(0, 1))],
    ['twice the signature', withSignature(Buffer.concat([bytes, bytes]))],
    ['a signature of zeros', withSignature(Buffer.alloc(bytes.length))],
    ['a signature of ones', withSignature(Buffer.alloc(bytes.length, 0xff))],
    ['a random signature', withSignature(randomBytes(bytes.length))],
    ['a signature in hex', `${headerSegment}.${payloadSegment}.${bytes.toString('hex')}`],
    ['the payload as its signature', `${headerSegment}.${payloadSegment}.${payloadSegment}`],
    ['the signature of another token', `${headerSegment}.${payloadSegment}.${otherSignature}`],
    ['an admin under an old signature', `${headerSegment}.${encode(admin)}.${signature}`],
    ['another user under an old signature', `${headerSegment}.${encode(other)}.${signature}`],
    [
      'a longer life under an old signature',
      `${headerSegment}.${encode(withMember(payload, 'exp', String(claims.exp - 1)))}.${signature}`
    ],
    [
      'another spelling of the payload',
      `${headerSegment}.${encode([...payload].reverse())}.${signature}`
    ],
    [
      'another spelling of the header',
      `${encode([...header].reverse())}.${payloadSegment}.${signature}`
    ]
  ]
  return altered.map(([name, forged]) => [name, forged, 'bad-signature'])
}

function foreignKeyMutations({ key, header, payload }: Forge): Mutation[] {
  const input = `${encode(header)}.${encode(payload)}`
  const foreign = generateKey(key.algorithm)
  const embedded = `${encode([...header, ['jwk', JSON.stringify(foreign.export({ format: 'jwk' }))]])}.${encode(payload)}`
  const bySecret = (secret: string | Buffer) =>
    `${input}.${signatureOf('HS256', Buffer.from(secret), input)}`
  const guesses = ['', 'secret', 'your-256-bit-secret', 'changeme', key.kid, 'null', 'undefined']
  return [
    [
      "somebody else's key",
      `${input}.${signatureOf(key.algorithm, foreign, input)}`,
      'bad-signature'
    ],
    [
      "somebody else's key, which comes along",
      `${embedded}.${signatureOf(key.algorithm, foreign, embedded)}`,
      'unexpected-header'
    ],
    ...guesses.map((guess): Mutation => [
      `signed with the guess ${JSON.stringify(guess)}`,
      bySecret(guess),
      'bad-signature'
    ]),
    ['signed with 32 zeros', bySecret(Buffer.alloc(32)), 'bad-signature']
  ]
}

/** The public key as an HMAC secret, in every spelling an attacker can fetch or derive (RFC 8725 §2.1). */
function confusionMutations({ key, header, payload }: Forge): Mutation[] {
  if (key.verifyWith.type !== 'public') return []
  const pem = key.verifyWith.export({ type: 'spki', format: 'pem' }).toString()
  const jwk = key.verifyWith.export({ format: 'jwk' })
  const secrets: [string, string | Buffer][] = [
    ['PEM', pem],
    ['PEM without its last line feed', pem.trimEnd()],
    ['DER', key.verifyWith.export({ type: 'spki', format: 'der' })],
    ['JWK', JSON.stringify(jwk)],
    ['the body of its PEM', pem.split('\n').slice(1, -2).join('')],
    ['the member x or n', String(jwk.x ?? jwk.n)]
  ]
  return secrets.flatMap(([name, secret]) =>
    ['HS256', key.algorithm].map((algorithm): Mutation => {
      const input = `${encode(withMember(header, 'alg', `"${algorithm}"`))}.${encode(payload)}`
      const signature = signatureOf('HS256', Buffer.from(secret), input)
      const reason = algorithm === key.algorithm ? 'bad-signature' : 'wrong-algorithm'
      return [
        `the public key as a secret (${name}), alg ${algorithm}`,
        `${input}.${signature}`,
        reason
      ]
    })
  )
}

/** Signatures out of range verify for every key where they are not checked (CVE-2022-21449). */
function ecdsaMutations({ genuine, header, payload }: Forge): Mutation[] {
  const order = Buffer.from(
    'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
    'hex'
  )
  const zero = Buffer.alloc(32)
  const input = `${encode(header)}.${encode(payload)}`
  const bytes = Buffer.from(genuine.split('.')[2] ?? '', 'base64url')
  const signatures: [string, Buffer][] = [
    ['r and s are zero', Buffer.concat([zero, zero])],
    ['r and s are the order', Buffer.concat([order, order])],
    ['r is zero', Buffer.concat([zero, bytes.subarray(32)])],
    ['s is zero', Buffer.concat([bytes.subarray(0, 32), zero])],
    ['s is the order', Buffer.concat([bytes.subarray(0, 32), order])],
    ['r and s are swapped', Buffer.concat([bytes.subarray(32), bytes.subarray(0, 32)])],
    [
      'the signature is in DER',
      Buffer.concat([
        Buffer.from('30440220', 'hex'),
        bytes.subarray(0, 32),
        Buffer.from('0220', 'hex'),
        bytes.subarray(32)
      ])
    ]
  ]
  return signatures.map(([name, signature]) => [
    name,
    `${input}.${signature.toString('base64url')}`,
    'bad-signature'
  ])
}

function generateKey(algorithm: JwtAlgorithm): KeyObject {
  switch (algorithm) {
    case 'HS256':
      return createSecretKey(randomBytes(32))
    case 'EdDSA':
      return generateKeyPairSync('ed25519').privateKey
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    case 'RS256':
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  }
}
