import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto'
import type { AsymmetricAlgorithm, JwtAlgorithm } from '../../src/tokens/algorithms.js'
import type { KeyRingEntry, KeyStatus } from '../../src/tokens/key-ring-entry.js'
import { parseKeyRing, type KeyRing } from '../../src/tokens/key-ring.js'

export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}

export function newPrivateKey(algorithm: AsymmetricAlgorithm): KeyObject {
  switch (algorithm) {
    case 'EdDSA':
      return generateKeyPairSync('ed25519').privateKey
    case 'ES256':
      return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    case 'RS256':
      // The floor, because it is the quickest to make.
      return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  }
}

/** An entry of a key ring file with a new key, private where there is a difference. */
export function newEntry(
  kid: string,
  alg: JwtAlgorithm,
  status: KeyStatus = 'active'
): KeyRingEntry {
  const key = alg === 'HS256' ? newSecret() : newPrivateKey(alg).export({ format: 'jwk' })
  return { kid, alg, key, status }
}

/** A ring of one new key. */
export function newKeyRing(algorithm: JwtAlgorithm, kid = `${algorithm}-1`): KeyRing {
  return parseKeyRing([newEntry(kid, algorithm)])
}
