import { uuidv7 } from 'uuidv7'
import type { Clock } from '../clock.js'
import { parseClaims, type AccessClaims } from './claims.js'
import { maxTokenLength } from './inspect.js'
import { publicJwks, type JsonWebKeySet } from './jwks.js'
import type { KeyRing } from './key-ring.js'
import { createClaimsSigner } from './signatures.js'
import { createTokenVerifier, type TokenVerifier } from './token-verifier.js'

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
  /** The `kid` of the key that signed it. */
  readonly keyId: string
}

export interface AccessTokens {
  /**
   * Mints a token for a session.
   * @throws {TypeError} when the token would be refused: an id that is no UUID, or roles beyond the token's length
   */
  readonly issue: (grant: AccessTokenGrant) => IssuedAccessToken
  /** The `kid` of the key that signs now; the ring may be replaced before the next token. */
  readonly activeKeyId: () => string
  readonly verify: TokenVerifier['verify']
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
  /** How many verified tokens are remembered; 0 for none. */
  readonly cacheSize?: number
}

/**
 * Issues and verifies access tokens: JWTs of type at+jwt (RFC 9068) in the strict reading of RFC 8725. They
 * leave out client_id, as the only clients are first-party ones.
 *
 * The text of a token is no identity: from one ES256 token anybody can make a second that verifies with the same
 * claims (the signatures r,s and r,n−s are equally good). Use jti.
 */
export function createAccessTokens(options: AccessTokenOptions): AccessTokens {
  const { verify, replaceKeys } = createTokenVerifier({ ...options, keys: options.keyRing.keys })
  let active = signerOf(options.keyRing)
  let jwks = publicJwks(options.keyRing)

  return {
    issue: (grant) => issue(grant, options, active),
    activeKeyId: () => active.keyId,
    verify,
    replaceKeyRing: (keyRing) => {
      replaceKeys(keyRing.keys)
      active = signerOf(keyRing)
      jwks = publicJwks(keyRing)
    },
    jwks: () => jwks
  }
}

interface Signer {
  readonly keyId: string
  readonly sign: (claims: AccessClaims) => string
}

function signerOf({ active }: KeyRing): Signer {
  return { keyId: active.kid, sign: createClaimsSigner(active) }
}

function issue(
  { userId, sessionId, version, generation, roles, asOfMs }: AccessTokenGrant,
  { issuer, audience, ttlSeconds, clock }: AccessTokenOptions,
  { keyId, sign }: Signer
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
  return { token, claims: parsed.claims, expiresInSeconds: ttlSeconds, keyId }
}
