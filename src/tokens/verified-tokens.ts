import type { AccessClaims } from './claims.js'

/** A token that was found good in everything. It stays so until it expires, or its key goes. */
export interface VerifiedToken {
  /** Frozen, and the same object for every request that brings this token. */
  readonly verification: { readonly kind: 'valid'; readonly claims: AccessClaims }
  /** Milliseconds since the epoch: good from the first on, and no more from the second on. */
  readonly fromMs: number
  readonly untilMs: number
}

export type VerifiedTokens = ReturnType<typeof createVerifiedTokens>

/**
 * Remembers fully verified tokens by their exact text, so that a signature is checked once and not
 * with every request. Bounded: two generations, of which the older one is dropped whole, so that a hit
 * writes nothing and nothing is searched for what to drop.
 *
 * @param limit how many tokens at most; 0 remembers none
 */
export function createVerifiedTokens(limit: number) {
  const perGeneration = Math.floor(limit / 2)
  let young = new Map<string, VerifiedToken>()
  let old = new Map<string, VerifiedToken>()

  function add(token: string, verified: VerifiedToken): void {
    if (perGeneration === 0) return
    if (young.size >= perGeneration) {
      old = young
      young = new Map()
    }
    young.set(token, verified)
  }

  return {
    add,

    find(token: string): VerifiedToken | undefined {
      const hit = young.get(token)
      if (hit !== undefined) return hit
      const aged = old.get(token)
      if (aged !== undefined) add(token, aged)
      return aged
    },

    clear(): void {
      young = new Map()
      old = new Map()
    },

    size: (): number => young.size + old.size
  }
}
