import type { Clock } from '../clock.js'
import type { AccessClaims } from './claims.js'
import { inspectToken } from './inspect.js'
import type { RingKey } from './key-ring.js'
import { bindVerifiers } from './signatures.js'
import { invalid, judgeClaims, maxSkewMs, type Verification } from './verification.js'
import { createVerifiedTokens } from './verified-tokens.js'

export interface TokenVerifierOptions {
  /** The keys whose tokens are believed, each for its own algorithm. */
  readonly keys: readonly RingKey[]
  readonly issuer: string
  readonly audience: string
  /** The longest lifetime that is believed of any token. */
  readonly ttlSeconds: number
  readonly clock: Clock
  /** How many verified tokens are remembered, at most 4 KiB each; 0 for none. */
  readonly cacheSize?: number
}

export interface TokenVerifier {
  /** Judges a token. Never throws, whatever it is given. Revocation is not its business. */
  readonly verify: (token: string) => Verification
  /** Tokens of keys that are not among these are invalid from this call on. */
  readonly replaceKeys: (keys: readonly RingKey[]) => void
}

const defaultCacheSize = 10_000

/** Verifies access tokens: JWTs of type at+jwt (RFC 9068) in the strict reading of RFC 8725. */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { clock, cacheSize = defaultCacheSize } = options
  const known = createVerifiedTokens(cacheSize)
  let findVerifier = bindVerifiers(options.keys)

  function judge(token: string, nowMs: number): Verification {
    const inspection = inspectToken(token)
    if (inspection.kind === 'malformed') return invalid(inspection.fault)
    const verifier = findVerifier(inspection.kid)
    if (verifier === undefined) return invalid('unknown-key')
    if (verifier.algorithm !== inspection.algorithm) return invalid('wrong-algorithm')
    if (!verifier.isGenuine(token)) return invalid('bad-signature')
    const { payload } = inspection
    const verification = judgeClaims(payload, options, nowMs)
    // We issue no token with nbf; one that has it is judged anew each time.
    if (verification.kind !== 'valid' || payload['nbf'] !== undefined) return verification
    return remember(token, verification.claims)
  }

  function remember(token: string, claims: AccessClaims): Verification {
    const verification = Object.freeze({ kind: 'valid', claims } as const)
    const [fromMs, untilMs] = [claims.iat * 1_000 - maxSkewMs, claims.exp * 1_000]
    known.add(token, { verification, fromMs, untilMs })
    return verification
  }

  return {
    verify(token) {
      try {
        const nowMs = clock()
        const hit = known.find(token)
        if (hit !== undefined && nowMs >= hit.fromMs && nowMs < hit.untilMs) return hit.verification
        return judge(token, nowMs)
      } catch {
        return invalid('unexpected-error')
      }
    },
    replaceKeys(keys) {
      findVerifier = bindVerifiers(keys)
      known.clear()
    }
  }
}
