import { uuidv7 } from 'uuidv7'
import type { Clock } from '../clock.js'
import { parseClaims, type AccessClaims } from './claims.js'
import { inspectToken, maxTokenLength } from './inspect.js'
import { publicJwks, type JsonWebKeySet } from './jwks.js'
import type { KeyRing } from './key-ring.js'
import { bindSignatures } from './signatures.js'
import { invalid, judgeClaims, type Verification } from './verification.js'

export interface AccessTokenGrant {
  readonly userId: string
  readonly sessionId: string
  /** The user's token version and the global generation, as they are at issue. */
  readonly version: number
  readonly generation: number
  readonly roles: readonly string[]
  /**
   * Before all of this was read, in ms since the epoch; now by default. The token's life counts from
   * then: a process that was held up afterwards must not mint one that outlives its revocation.
   */
  readonly asOfMs?: number
}

export interface IssuedAccessToken {
  readonly token: string
  readonly claims: AccessClaims
  readonly expiresInSeconds: number
}

export interface AccessTokens {
  /**
   * Mints a token for a session.
   * @throws {TypeError} when the token would be refused: an id that is no UUID, or roles beyond the token's length
   */
  readonly issue: (grant: AccessTokenGrant) => IssuedAccessToken
  /** Judges a token. Never throws, whatever it is given. Revocation is not its business. */
  readonly verify: (token: string) => Verification
  /** Tokens of keys that are not in the new ring are invalid from this call on. */
  readonly replaceKeyRing: (keyRing: KeyRing) => void
  readonly jwks: () => JsonWebKeySet
}

interface AccessTokenOptions {
  readonly keyRing: KeyRing
  readonly issuer: string
  readonly audience: string
  /** Lifetime of new tokens, and the longest that is believed of any. */
  readonly ttlSeconds: number
  readonly clock: Clock
}

/**
 * Issues and verifies access tokens: JWTs of type at+jwt (RFC 9068) in the strict reading of RFC 8725. They
 * leave out client_id, as the only clients are first-party ones.
 *
 * The text of a token is no identity: from one ES256 token anybody can make a second that verifies with the same
 * claims (the signatures r,s and r,n−s are equally good). Use jti.
 */
export function createAccessTokens(options: AccessTokenOptions): AccessTokens {
  const { clock } = options
  let keys = bind(options.keyRing)

  function judge(token: string): Verification {
    const inspection = inspectToken(token)
    if (inspection.kind === 'malformed') return invalid(inspection.fault)
    const verifier = keys.signatures.find(inspection.kid)
    if (verifier === undefined) return invalid('unknown-key')
    if (verifier.algorithm !== inspection.algorithm) return invalid('wrong-algorithm')
    if (!verifier.isGenuine(token)) return invalid('bad-signature')
    return judgeClaims(inspection.payload, options, clock())
  }

  return {
    issue: (grant) => issue(grant, options, keys.signatures.sign),
    verify: (token) => {
      try {
        return judge(token)
      } catch {
        return invalid('unexpected-error')
      }
    },
    replaceKeyRing: (keyRing) => {
      keys = bind(keyRing)
    },
    jwks: () => keys.jwks
  }
}

function bind(keyRing: KeyRing) {
  return { signatures: bindSignatures(keyRing), jwks: publicJwks(keyRing) }
}

function issue(
  { userId, sessionId, version, generation, roles, asOfMs }: AccessTokenGrant,
  { issuer, audience, ttlSeconds, clock }: AccessTokenOptions,
  sign: (claims: AccessClaims) => string
): IssuedAccessToken {
  const iat = Math.floor((asOfMs ?? clock()) / 1000)
  const parsed = parseClaims({
    iss: issuer,
    aud: audience,
    sub: userId,
    sid: sessionId,
    jti: uuidv7(),
    iat,
    exp: iat + ttlSeconds,
    ver: version,
    gen: generation,
    roles
  })
  if (parsed.kind === 'refused') {
    throw new TypeError(`No access token can be issued with this ${parsed.claim}`)
  }
  const token = sign(parsed.claims)
  if (token.length > maxTokenLength) {
    throw new TypeError('No access token can be issued with so many roles: it would be too long')
  }
  return { token, claims: parsed.claims, expiresInSeconds: ttlSeconds }
}
