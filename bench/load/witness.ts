/** What was done to a token, in milliseconds of `performance.now()`; undefined while it was not. */
export interface Revocation {
  /** From here on it may be refused. */
  askedAt: number | undefined
  /** From here on it must be. */
  answeredAt: number | undefined
}

export const notRevoked = (): Revocation => ({ askedAt: undefined, answeredAt: undefined })

/** A token that was accepted although it had been revoked: what must not be. */
export interface Violation {
  readonly what: string
  /** How long after the answer to its revocation the request was sent, in milliseconds. */
  readonly sentAfterMs: number
}

export interface Judged {
  readonly status: number
  readonly body: string
  readonly sentAt: number
  readonly receivedAt: number
}

/**
 * Holds answers against what was promised. Whoever sends a request after a revocation was answered is refused; a
 * request that was on its way by then may be accepted or not; and nobody is told that a token is revoked which nobody
 * wanted to revoke.
 */
export function createWitness() {
  const violations: Violation[] = []
  let unjustRefusals = 0
  let accepted = 0
  let refused = 0

  return {
    violations,
    unjustRefusals: () => unjustRefusals,
    /** Of tokens that were revoked by the time of the answer: how many were accepted, lawfully or not. */
    counts: () => ({ accepted, refused }),

    judge(what: string, { askedAt, answeredAt }: Revocation, answer: Judged): void {
      const { status, body, sentAt, receivedAt } = answer
      const mayBeRefused = askedAt !== undefined && askedAt <= receivedAt
      if (!mayBeRefused && status === 401 && body.includes('"TOKEN_REVOKED"')) unjustRefusals++
      if (answeredAt === undefined) return
      if (status === 401) refused++
      if (status !== 200) return
      accepted++
      const sentAfterMs = sentAt - answeredAt
      if (sentAfterMs > 0) violations.push({ what, sentAfterMs })
    }
  }
}

export type Witness = ReturnType<typeof createWitness>
