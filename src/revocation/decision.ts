export type RevocationKind = 'token' | 'session' | 'user' | 'everyone'

/** The claims of an access token by which a revocation can cover it. */
export interface CoveredClaims {
  readonly jti: string
  readonly sid: string
  readonly sub: string
  readonly ver: number
  readonly gen: number
}

/** What is known of revocations, wherever that knowledge was read. */
export interface RevocationView {
  /** The smallest generation that is still good. */
  readonly generation: number
  isTokenDenied(tokenId: string): boolean
  isSessionDenied(sessionId: string): boolean
  /** The smallest token version of this user that is still good; 0 where nothing is held against it. */
  minimumVersion(userId: string): number
}

export type Verdict =
  { readonly kind: 'live' } | { readonly kind: 'revoked'; readonly by: RevocationKind }

/** The one object that says so: verdicts can be compared with it. */
export const live: Verdict = Object.freeze({ kind: 'live' })
const revokedBy = (by: RevocationKind): Verdict => Object.freeze({ kind: 'revoked', by })
const byEveryone = revokedBy('everyone')
const byUser = revokedBy('user')
const bySession = revokedBy('session')
const byToken = revokedBy('token')

/**
 * The one decision about a token that is otherwise good. Pure: whoever decides (guard, tests,
 * later readers of the same state) calls this. Where several revocations cover a token, the widest
 * one is named.
 */
export function decide(claims: CoveredClaims, view: RevocationView): Verdict {
  if (claims.gen < view.generation) return byEveryone
  if (claims.ver < view.minimumVersion(claims.sub)) return byUser
  if (view.isSessionDenied(claims.sid)) return bySession
  if (view.isTokenDenied(claims.jti)) return byToken
  return live
}
