import type { Target } from './driver/connection.js'

/** What was done to a token, in milliseconds of `performance.now()`; undefined while it was not. */
export interface Revocation {
  /** From here on it may be refused. */
  askedAt: number | undefined
  /** From here on it must be. */
  answeredAt: number | undefined
}

export const notRevoked = (): Revocation => ({ askedAt: undefined, answeredAt: undefined })

/** How a token was presented: as an access token on the protected route, or to be refreshed. */
export type Presentation = 'verify' | 'refresh'

/** A token that was accepted although it had been revoked: what must not be. */
export interface Violation {
  readonly what: Presentation
  /** How long after the answer to its revocation the request was sent, in milliseconds. */
  readonly sentAfterMs: number
}

export interface Judged {
  readonly status: number
  readonly body: string
  readonly target: Target
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
  let overlapping = 0
  const refused: Record<Presentation, number> = { verify: 0, refresh: 0 }
  const byPort = new Map<number, number>()

  return {
    violations,
    unjustRefusals: () => unjustRefusals,
    /** How many were refused that were sent after the answer to their revocation: the evidence of a run. */
    refused: (what: Presentation) => refused[what],
    /** The same by the port of the node that refused. */
    refusedOn: (port: number) => byPort.get(port) ?? 0,
    /** How many were accepted that were on their way when their revocation was answered. */
    overlapping: () => overlapping,

    judge(what: Presentation, { askedAt, answeredAt }: Revocation, answer: Judged): void {
      const { status, body, sentAt, receivedAt } = answer
      const { port } = answer.target
      const mayBeRefused = askedAt !== undefined && askedAt <= receivedAt
      if (!mayBeRefused && status === 401 && body.includes('"TOKEN_REVOKED"')) unjustRefusals++
      if (answeredAt === undefined) return
      const sentAfterMs = sentAt - answeredAt
      if (sentAfterMs > 0 && isRefusal(what, answer)) {
        refused[what]++
        byPort.set(port, (byPort.get(port) ?? 0) + 1)
      }
      if (status !== 200) return
      if (sentAfterMs > 0) violations.push({ what, sentAfterMs })
      else overlapping++
    }
  }
}

/** An access token that has merely expired, or is of an unknown key, shows nothing of its revocation. */
const isRefusal = (what: Presentation, { status, body }: Judged): boolean =>
  status === 401 && body.includes(what === 'verify' ? '"TOKEN_REVOKED"' : '"INVALID_REFRESH_TOKEN"')

export type Witness = ReturnType<typeof createWitness>
