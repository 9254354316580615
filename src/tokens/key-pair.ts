import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import type { AsymmetricAlgorithm } from './algorithms.js'
import { definingMembers } from './jwk.js'
import { isJwkObject } from './jwk-members.js'
import { KeyRingError } from './key-ring-error.js'

export interface KeyPair {
  readonly verifyWith: KeyObject
  /** The private key, where it was given. */
  readonly signWith: KeyObject | undefined
}

/**
 * Loads a public key, or a private key with the public key that belongs to it, from PEM text or a JWK.
 * @throws {KeyRingError} when it cannot be read, is no single key, or is too weak or of another kind than the algorithm's
 */
export function loadKeyPair(name: string, algorithm: AsymmetricAlgorithm, key: unknown): KeyPair {
  const pair = typeof key === 'string' ? loadPem(name, key) : loadJwk(name, key)
  const fault = strengthFault(pair.verifyWith, algorithm)
  if (fault !== undefined) throw new KeyRingError(`${name} ${fault}.`)
  if (pair.signWith !== undefined && !isPair(pair.signWith, pair.verifyWith, algorithm)) {
    throw new KeyRingError(`${name} has a private part that does not belong to its public part.`)
  }
  return pair
}

const pemBlock = /-----BEGIN ((?:RSA |EC )?(?:PRIVATE|PUBLIC) KEY)-----[\s\S]+?-----END \1-----/g

function loadPem(name: string, pem: string): KeyPair {
  const [block, another] = pem.match(pemBlock) ?? []
  if (block === undefined || another !== undefined) {
    throw new KeyRingError(
      `${name} must have exactly one PEM block: an unencrypted private key or a public key.`
    )
  }
  if (!block.includes('PRIVATE')) {
    return { verifyWith: parse(name, () => createPublicKey(block)), signWith: undefined }
  }
  const signWith = parse(name, () => createPrivateKey(block))
  return { verifyWith: createPublicKey(signWith), signWith }
}

function loadJwk(name: string, jwk: unknown): KeyPair {
  if (!isJwkObject(jwk)) {
    throw new KeyRingError(`${name} must have its "key" as PEM text or as a JWK object.`)
  }
  const input = { key: jwk, format: 'jwk' } as const
  const signWith = jwk.d === undefined ? undefined : parse(name, () => createPrivateKey(input))
  const verifyWith = signWith
    ? createPublicKey(signWith)
    : parse(name, () => createPublicKey(input))
  // Node computes the public part of an OKP key from d and reads base64url leniently.
  const members = Object.entries(definingMembers(verifyWith))
  if (members.some(([member, value]) => jwk[member] !== value)) {
    throw new KeyRingError(`${name} has a JWK whose public members are not those of its key.`)
  }
  return { verifyWith, signWith }
}

/** The parser's own error may quote the key: it is not passed on. */
function parse(name: string, read: () => KeyObject): KeyObject {
  try {
    return read()
  } catch {
    throw new KeyRingError(`${name} cannot be read: export it again as PKCS #8, SPKI or JWK.`)
  }
}

function strengthFault(key: KeyObject, algorithm: AsymmetricAlgorithm): string | undefined {
  const { modulusLength = 0, publicExponent = 0n, namedCurve } = key.asymmetricKeyDetails ?? {}
  const type = key.asymmetricKeyType
  switch (algorithm) {
    case 'EdDSA':
      return type === 'ed25519' ? undefined : 'must be an Ed25519 key for EdDSA'
    case 'ES256':
      if (type === 'ec' && namedCurve === 'prime256v1') return undefined
      return 'must be a key on the curve P-256 for ES256'
    case 'RS256':
      if (type !== 'rsa') return 'must be an RSA key for RS256'
      if (modulusLength < 2048) return 'must have at least 2048 bits for RS256, better 3072'
      return publicExponent < 65537n ? 'must have the public exponent 65537' : undefined
  }
}

function isPair(signWith: KeyObject, verifyWith: KeyObject, algorithm: AsymmetricAlgorithm) {
  const probe = Buffer.from('keycard')
  const digest = algorithm === 'EdDSA' ? null : 'sha256'
  try {
    return verify(digest, probe, verifyWith, sign(digest, probe, signWith))
  } catch {
    return false
  }
}
