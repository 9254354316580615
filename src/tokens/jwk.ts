import { createHash, type KeyObject } from 'node:crypto'

/** The members that RFC 7638 §3.2 hashes, in its order. For asymmetric keys they are the public ones. */
const requiredMembers: Readonly<Record<string, readonly string[]>> = {
  EC: ['crv', 'kty', 'x', 'y'],
  OKP: ['crv', 'kty', 'x'],
  RSA: ['e', 'kty', 'n'],
  oct: ['k', 'kty']
}

/** The members that define a key and nothing else. Of a secret key that is the secret itself: publish none. */
export function definingMembers(key: KeyObject): Readonly<Record<string, string>> {
  const jwk = key.export({ format: 'jwk' })
  const names = requiredMembers[String(jwk.kty)] ?? []
  return Object.fromEntries(names.map((name) => [name, String(jwk[name])]))
}

/** The SHA-256 thumbprint of a key in base64url (RFC 7638): equal for a private key and its public half. */
export function thumbprint(key: KeyObject): string {
  return createHash('sha256')
    .update(JSON.stringify(definingMembers(key)))
    .digest('base64url')
}
