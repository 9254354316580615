import { definingMembers } from './jwk.js'
import type { KeyRing } from './key-ring.js'

/** A JWK set (RFC 7517 §5). Every member of a published key is a string. */
export interface JsonWebKeySet {
  readonly keys: readonly Readonly<Record<string, string>>[]
}

/**
 * The public keys that verify this service's tokens: the active one first, then those that still verify.
 * An HS256 key has no public part, so its set is empty: publishing it would let everybody sign.
 */
export function publicJwks({ keys }: KeyRing): JsonWebKeySet {
  const published = keys
    .filter(({ verifyWith }) => verifyWith.type === 'public')
    .map(({ kid, algorithm, verifyWith }) =>
      Object.freeze({ ...definingMembers(verifyWith), kid, use: 'sig', alg: algorithm })
    )
  return Object.freeze({ keys: Object.freeze(published) })
}
