import type { KeyObject } from 'node:crypto'
import { createSigner, createVerifier } from 'fast-jwt'
import type { JwtAlgorithm } from './algorithms.js'
import type { AccessClaims } from './claims.js'
import type { ActiveKey, RingKey } from './key-ring.js'

export interface SignatureVerifier {
  readonly algorithm: JwtAlgorithm
  /** Whether this key signed exactly these bytes. Says nothing about what they claim. */
  readonly isGenuine: (token: string) => boolean
}

/**
 * Binds keys to fast-jwt: one verifier per key that knows its only algorithm. fast-jwt's own cache stays
 * off: it outlives a key's retirement and hands one mutable payload to every caller.
 */
export function bindVerifiers(
  keys: readonly RingKey[]
): (kid: string) => SignatureVerifier | undefined {
  const verifiers = new Map(keys.map((key) => [key.kid, createSignatureVerifier(key)]))
  return (kid) => verifiers.get(kid)
}

/** Binds the key that signs to fast-jwt. */
export function createClaimsSigner({
  kid,
  algorithm,
  signWith
}: ActiveKey): (claims: AccessClaims) => string {
  return createSigner<AccessClaims>({
    key: signWith.type === 'secret' ? signWith.export() : toPem(signWith, 'pkcs8'),
    algorithm,
    header: { alg: algorithm, typ: 'at+jwt', kid }
  })
}

function createSignatureVerifier({ algorithm, verifyWith }: RingKey): SignatureVerifier {
  const check = createVerifier<string>({
    key: verifyWith.type === 'secret' ? verifyWith.export() : toPem(verifyWith, 'spki'),
    algorithms: [algorithm],
    cache: false,
    // Times are judged with the other claims: fast-jwt accepts the second of exp itself.
    ignoreExpiration: true,
    ignoreNotBefore: true
  })
  const isGenuine = (token: string) => {
    try {
      check(token)
      return true
    } catch {
      return false
    }
  }
  return { algorithm, isGenuine }
}

/** fast-jwt tells a key's algorithm from its PEM text and takes no KeyObject. */
function toPem(key: KeyObject, type: 'pkcs8' | 'spki'): string {
  return key.export({ type, format: 'pem' }).toString()
}
