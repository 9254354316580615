import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { AsymmetricAlgorithm } from './algorithms.js'
import { thumbprint } from './jwk.js'
import type { KeyRingEntry } from './key-ring-entry.js'

const generate = promisify(generateKeyPair)

/**
 * A key ring of one new key, as it is stored in a key ring file: `JSON.stringify` it into a file that only the
 * service can read. The kid is the key's thumbprint (RFC 7638).
 */
export async function generateKeyRing(algorithm: AsymmetricAlgorithm): Promise<KeyRingEntry[]> {
  const key = await generatePrivateKey(algorithm)
  return [
    { kid: thumbprint(key), alg: algorithm, status: 'active', key: key.export({ format: 'jwk' }) }
  ]
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
