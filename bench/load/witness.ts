/** A token that was accepted although it had been revoked: what must not be. */
export interface Violation {
  readonly what: string
  /** How long after the answer to its revocation the request was sent, in milliseconds. */
  readonly sentAfterMs: number
}

/** When the answer to the revocation of a token was there; undefined while it is good. In ms. */
export type RevokedAt = number | undefined

/**
 * Holds answers against what was promised: whoever sends a request after a revocation was answered is
 * refused. A request that was on its way by then may be accepted or not.
 */
export function createWitness() {
  const violations: Violation[] = []
  let accepted = 0
  let refused = 0
  let lastAcceptedAt: number | undefined

  return {
    violations,
    /** Of tokens that were revoked by the time of the answer: how many were accepted, lawfully or not. */
    counts: () => ({ accepted, refused }),
    /** When the last answer came that accepted a token which somebody had begun to revoke. */
    lastAcceptedAt: () => lastAcceptedAt,

    judge(
      what: string,
      revokedAt: RevokedAt,
      answer: { readonly status: number; readonly sentAt: number; readonly receivedAt: number }
    ): void {
      if (revokedAt === undefined) return
      if (answer.status === 401) refused++
      if (answer.status !== 200) return
      accepted++
      lastAcceptedAt = answer.receivedAt
      const sentAfterMs = answer.sentAt - revokedAt
      if (sentAfterMs > 0) violations.push({ what, sentAfterMs })
    }
  }
}

export type Witness = ReturnType<typeof createWitness>
