import type { CoveredClaims, RevocationKind } from '../../src/revocation/decision.js'

/** Two readings of one monotonic clock, in ms: that of the process that records. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** What a revocation can cover a token by, and when that token came to be. */
export interface AccessToken extends CoveredClaims {
  /** From the sending of the call that brought it to the arrival of its answer. */
  readonly minted: Span
  /** On the clock of the spans. */
  readonly expiresAt: number
}

export interface RefreshToken extends Omit<CoveredClaims, 'jti'> {
  readonly minted: Span
  /** How many refreshes led to it since the login. */
  readonly ordinal: number
}

export type Outcome =
  | {
      readonly kind: 'answered'
      readonly status: number
      /** Of a problem. */
      readonly code?: string
      readonly retryAfter: boolean
    }
  | { readonly kind: 'unanswered'; readonly reason: string }

interface CallBase extends Span {
  /** Which node was asked. */
  readonly node: number
  readonly outcome: Outcome
}

/** A protected request. */
export interface Visit extends CallBase {
  readonly kind: 'visit'
  readonly token: AccessToken
}

export interface Refresh extends CallBase {
  readonly kind: 'refresh'
  readonly token: RefreshToken
}

/** A registration included. */
export interface Login extends CallBase {
  readonly kind: 'login'
}

export interface Revocation extends CallBase {
  readonly kind: 'revocation'
  /** The call that asked for it, such as `POST /api/auth/logout`. */
  readonly route: string
  readonly scope: RevocationKind
  /** The jti, the session or the user; empty for everyone. */
  readonly target: string
  /** What it raised the version or the generation to, where that is known. */
  readonly level?: number
  /** A session whose refresh token outlives it. */
  readonly spares?: string
  /** The access token that was sent. */
  readonly by?: AccessToken
  /** That token need not be alive for it. */
  readonly takesDead?: true
}

export type Call = Visit | Refresh | Login | Revocation

/** Something that was done to the deployment, until it was undone. */
export interface Fault extends Span {
  readonly name: string
  /** The nodes whose own processes it took away; the others have to answer all the time. */
  readonly nodes: readonly number[]
}

/** All that was seen in one run. */
export interface History {
  readonly nodes: number
  readonly calls: readonly Call[]
  /** Every access token that was handed out. */
  readonly tokens: readonly AccessToken[]
  readonly faults: readonly Fault[]
  /** When nothing was sent any more. */
  readonly end: number
}

export const isSuccess = ({ outcome }: Pick<Call, 'outcome'>): boolean =>
  outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300

/** The code of a problem, else the status or what happened instead. */
export function resultOf({ outcome }: Pick<Call, 'outcome'>): string {
  if (outcome.kind === 'unanswered') return outcome.reason
  return outcome.code ?? String(outcome.status)
}

export const overlap = (one: Span, other: Span): boolean =>
  one.start <= other.end && other.start <= one.end
