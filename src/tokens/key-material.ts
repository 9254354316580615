import { createSecretKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { JwtAlgorithm } from './algorithms.js'
import { isJwkObject, jwkFault } from './jwk-members.js'
import { loadKeyPair } from './key-pair.js'
import { KeyRingError } from './key-ring-error.js'
import { secretFault } from './secret-strength.js'

export interface KeySource {
  /** How messages call the key, such as `The key "2026-01"`. */
  readonly name: string
  readonly algorithm: JwtAlgorithm
  /** PEM text or a JWK; for HS256 a secret string or a JWK of type oct. */
  readonly key: unknown
}

/** What verifies: the secret for HS256, else the public key. And what signs. */
export interface SigningMaterial {
  readonly verifyWith: KeyObject
  readonly signWith: KeyObject
}

/**
 * Loads a key that signs. What is too weak for its algorithm or made for something else is refused
 * (RFC 7518 §3.2 to §3.4, RFC 8725 §3.5).
 * @throws {KeyRingError} whose message starts with the key's name
 */
export function loadSigningKey(source: KeySource): SigningMaterial {
  const { verifyWith, signWith } = load(source, 'sign')
  if (signWith === undefined) {
    throw new KeyRingError(
      `${source.name} is active but has only its public part: give the private key, or make it "verify".`
    )
  }
  return { verifyWith, signWith }
}

/** Loads a key that only verifies, by the same rules. A private part may be there and is dropped. */
export function loadVerificationKey(source: KeySource): KeyObject {
  return load(source, 'verify').verifyWith
}

function load(source: KeySource, use: 'sign' | 'verify') {
  const { name, algorithm, key } = source
  const fault = isJwkObject(key) ? jwkFault(key, algorithm, use) : undefined
  if (fault !== undefined) throw new KeyRingError(`${name} ${fault}.`)
  return algorithm === 'HS256' ? loadSecret(name, key) : loadKeyPair(name, algorithm, key)
}

function loadSecret(name: string, key: unknown): SigningMaterial {
  const secret = isJwkObject(key) ? decodeOctets(name, key) : key
  if (typeof secret !== 'string' && !Buffer.isBuffer(secret)) {
    throw new KeyRingError(`${name} has no secret: "key" must be a string or a JWK of type oct.`)
  }
  const fault = secretFault(secret)
  if (fault !== undefined) throw new KeyRingError(`${name} ${fault}.`)
  const secretKey = createSecretKey(Buffer.from(secret))
  return { verifyWith: secretKey, signWith: secretKey }
}

function decodeOctets(name: string, { k }: JsonWebKey): Buffer {
  const bytes = Buffer.from(typeof k === 'string' ? k : '', 'base64url')
  if (bytes.length === 0 || bytes.toString('base64url') !== k) {
    throw new KeyRingError(`${name} has no secret: "k" must be canonical base64url.`)
  }
  return bytes
}
