import { createSecretKey, generateKeyPair, type KeyObject, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import type { AsymmetricAlgorithm, JwtAlgorithm } from './algorithms.js'
import { thumbprint } from './jwk.js'
import type { KeyRingEntry } from './key-ring-entry.js'

/** More than HS256 asks for (RFC 7518 §3.2: 32). */
const secretBytes = 48

const generate = promisify(generateKeyPair)

/**
 * A key ring of one new key, as it is stored in a key ring file: `JSON.stringify` it into a file that only the
 * service can read.
 */
export async function generateKeyRing(algorithm: JwtAlgorithm): Promise<KeyRingEntry[]> {
  return [await generateKey(algorithm)]
}

/** A new key that is active. The kid is made of the key's thumbprint (RFC 7638). */
export async function generateKey(algorithm: JwtAlgorithm): Promise<KeyRingEntry> {
  if (algorithm === 'HS256') {
    const key = randomBytes(secretBytes).toString('base64url')
    const print = thumbprint(createSecretKey(Buffer.from(key)))
    return { kid: print.slice(0, 16), alg: algorithm, status: 'active', key }
  }
  const key = await generatePrivateKey(algorithm)
  const kid = thumbprint(key)
  return { kid, alg: algorithm, status: 'active', key: key.export({ format: 'jwk' }) }
}

async function generatePrivateKey(algorithm: AsymmetricAlgorithm): Promise<KeyObject> {
  switch (algorithm) {
    case 'EdDSA':
      return (await generate('ed25519')).privateKey
    case 'ES256':
      return (await generate('ec', { namedCurve: 'P-256' })).privateKey
    case 'RS256':
      // 3072 bits have the 128-bit strength of the other algorithms (NIST SP 800-57 part 1 §5.6.1).
      return (await generate('rsa', { modulusLength: 3072 })).privateKey
  }
}
