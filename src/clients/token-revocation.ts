import type { Clock } from '../clock.js'
import type { RevocationService } from '../revocation/revocation.js'
import type { Cause } from '../revocation/recorder.js'
import type { Sessions } from '../sessions/sessions.js'
import type { AccessTokens } from '../tokens/access-tokens.js'
import type { AccessClaims } from '../tokens/claims.js'

/** A token that has expired by our clock may have this much left by another node's. */
const clockSkewMs = 30_000

/** What a token was, so that the log can say it. */
export type RevokedToken =
  | { readonly kind: 'access token'; readonly tokenId: string }
  | { readonly kind: 'refresh token'; readonly sessionId: string }
  | { readonly kind: 'nothing to revoke' }

export interface TokenRevocationOptions {
  readonly accessTokens: Pick<AccessTokens, 'verify'>
  readonly sessions: Pick<Sessions, 'authenticate' | 'revoke'>
  readonly revocation: Pick<RevocationService, 'revokeToken'>
  readonly clock: Clock
}

export type RevokePresented = ReturnType<typeof createTokenRevocation>

export function createTokenRevocation(options: TokenRevocationOptions) {
  const { accessTokens, sessions, revocation, clock } = options

  /** The claims of a genuine token that some node may accept; undefined for anything else. */
  function acceptable(token: string): AccessClaims | undefined {
    const verification = accessTokens.verify(token)
    if (verification.kind === 'invalid') return undefined
    return clock() < verification.claims.exp * 1_000 + clockSkewMs ? verification.claims : undefined
  }

  /**
   * Revokes the token that is presented: an access token alone, or with a refresh token its whole
   * session (RFC 7009 §2.1). One that is revoked already is announced again, as the first answer may
   * have been that it was not confirmed.
   *
   * @throws RevocationUnconfirmed, DatabaseUnavailable
   */
  return async function revokePresented(token: string, cause: Cause): Promise<RevokedToken> {
    const claims = acceptable(token)
    if (claims !== undefined) {
      await revocation.revokeToken(claims, cause)
      return { kind: 'access token', tokenId: claims.jti }
    }
    const genuine = await sessions.authenticate(token)
    if (genuine === undefined) return { kind: 'nothing to revoke' }
    await sessions.revoke(genuine.session.id, cause)
    return { kind: 'refresh token', sessionId: genuine.session.id }
  }
}
