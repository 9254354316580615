import { parseClaims, type AccessClaims } from './claims.js'
import type { StructureFault } from './inspect.js'

/** How far the clock of the node that issued a token may run ahead of this one's. */
export const maxSkewMs = 30_000

/** Expired means genuine and valid in everything but its age. */
export type Verification =
  | { kind: 'valid'; claims: AccessClaims }
  | { kind: 'expired'; claims: AccessClaims }
  | { kind: 'invalid'; reason: InvalidReason }

/** Why a token is invalid: for the log, never for the client. Constants without anything from the token. */
export type InvalidReason =
  | StructureFault
  | 'unknown-key'
  | 'wrong-algorithm'
  | 'bad-signature'
  | `claim-${string}`
  | 'unexpected-error'

interface ClaimRules {
  readonly issuer: string
  readonly audience: string
  readonly ttlSeconds: number
}

/**
 * Judges what a genuine token claims: its form, that it comes from this issuer for this audience (compared as they
 * are, RFC 9068 §4), that it lives no longer than tokens may, and its age.
 */
export function judgeClaims(
  payload: Readonly<Record<string, unknown>>,
  { issuer, audience, ttlSeconds }: ClaimRules,
  nowMs: number
): Verification {
  const parsed = parseClaims(payload)
  if (parsed.kind === 'refused') return invalid(`claim-${parsed.claim}`)
  const { claims, notBefore } = parsed
  const { iss, aud, iat, exp } = claims
  if (iss !== issuer) return invalid('claim-iss')
  if (typeof aud === 'string' ? aud !== audience : !aud.includes(audience)) {
    return invalid('claim-aud')
  }
  // Written so that a clock without a number refuses everything.
  if (!(iat * 1000 <= nowMs + maxSkewMs)) return invalid('claim-iat')
  if (!(notBefore * 1000 <= nowMs + maxSkewMs)) return invalid('claim-nbf')
  if (exp <= iat || exp - iat > ttlSeconds) return invalid('claim-exp')
  // RFC 7519 §4.1.4: not on or after the expiration time, to the millisecond.
  return nowMs < exp * 1000 ? { kind: 'valid', claims } : { kind: 'expired', claims }
}

export function invalid(reason: InvalidReason): Verification {
  return { kind: 'invalid', reason }
}
