import { createRecentMap } from '../recent-map.js'
import type { AccessClaims } from './claims.js'

/** A token that was found good in everything. It stays so until it expires, or its key goes. */
export interface VerifiedToken {
  /** Frozen, and the same object for every request that brings this token. */
  readonly verification: { readonly kind: 'valid'; readonly claims: AccessClaims }
  /** Milliseconds since the epoch: good from the first on, and no more from the second on. */
  readonly fromMs: number
  readonly untilMs: number
}

interface Entry {
  /** Ours: what a search brings is a slice, and keeps alive the request's header that it was cut from. */
  readonly key: string
  /** The whole text: nothing less makes a token the same. */
  readonly token: string
  readonly verified: VerifiedToken
}

/** Of the signature. To hash all of a token would take longer than everything else here. */
const keyLength = 24
const keyOf = ({ key }: Entry): string => key

export type VerifiedTokens = ReturnType<typeof createVerifiedTokens>

/**
 * Remembers fully verified tokens by their exact text, so that a signature is checked once and not
 * with every request.
 *
 * @param limit how many tokens at most; 0 remembers none
 */
export function createVerifiedTokens(limit: number) {
  const entries = createRecentMap<Entry>(limit)

  return {
    /** Of two tokens that end alike, the later one is remembered. */
    add(token: string, verified: VerifiedToken): void {
      // Copied, as a slice keeps what it was cut from and takes longer to compare.
      const text = Buffer.from(token, 'latin1').toString('latin1')
      const key = text.slice(-keyLength)
      entries.set(key, { key, token: text, verified })
    },

    find(token: string): VerifiedToken | undefined {
      // Callers without types may bring anything.
      if (typeof token !== 'string') return undefined
      const entry = entries.get(token.slice(-keyLength), keyOf)
      return entry?.token === token ? entry.verified : undefined
    },

    clear: entries.clear,
    size: entries.size
  }
}
