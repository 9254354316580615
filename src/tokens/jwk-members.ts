import type { JsonWebKey } from 'node:crypto'
import type { JwtAlgorithm } from './algorithms.js'

const keyTypes: Readonly<Record<JwtAlgorithm, string>> = {
  HS256: 'oct',
  EdDSA: 'OKP',
  ES256: 'EC',
  RS256: 'RSA'
}

/** A JSON object; whether it is a JWK, its reader decides. */
export function isJwkObject(key: unknown): key is JsonWebKey {
  return typeof key === 'object' && key !== null && !Array.isArray(key)
}

/**
 * What the members of a JWK beside its key material forbid (RFC 7517 §4.1 to §4.5), as the rest of a sentence,
 * or undefined when the key may be used so. A key that was made for something else stays out of the ring.
 */
export function jwkFault(
  jwk: JsonWebKey,
  algorithm: JwtAlgorithm,
  use: 'sign' | 'verify'
): string | undefined {
  const { kty, alg, use: purpose, key_ops: operations } = jwk
  if (kty !== keyTypes[algorithm]) {
    return `must be a JWK with "kty": "${keyTypes[algorithm]}" for ${algorithm}`
  }
  // RFC 9864 §2.2 names the curve; the header of our tokens keeps the older polymorphic name.
  const fits = alg === algorithm || (algorithm === 'EdDSA' && alg === 'Ed25519')
  if (alg !== undefined && !fits) return `has a JWK whose "alg" is not ${algorithm}`
  if (purpose !== undefined && purpose !== 'sig') return 'has a JWK whose "use" is not "sig"'
  return operations === undefined ? undefined : operationsFault(operations, use)
}

function operationsFault(operations: unknown, use: 'sign' | 'verify'): string | undefined {
  if (!Array.isArray(operations) || new Set(operations).size !== operations.length) {
    return 'has a JWK whose "key_ops" is not a list of distinct operations'
  }
  if (operations.some((operation) => operation !== 'sign' && operation !== 'verify')) {
    return 'has a JWK whose "key_ops" allows other things than "sign" and "verify"'
  }
  // Whoever may sign may also check its own signatures: a demoted private key says only "sign".
  const allowed = use === 'sign' ? ['sign'] : ['sign', 'verify']
  return operations.some((operation) => allowed.includes(String(operation)))
    ? undefined
    : `has a JWK whose "key_ops" does not allow it to ${use}`
}
