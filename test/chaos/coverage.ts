import { groupBy } from './group-by.js'
import {
  type AccessToken,
  type Call,
  type History,
  isSuccess,
  type RefreshToken,
  type Revocation
} from './history.js'
import { createSupersession, type Supersession } from './supersession.js'

/**
 * A revocation that was not answered with success may still take effect so long after: its node may
 * be frozen with the request in its socket, and Postgres with the transaction.
 */
const settleMs = 20_000

export type Bearer = AccessToken | RefreshToken

export interface Coverage {
  /** Since when the token must not be accepted, and by which revocation. */
  readonly dead: (token: Bearer) => { readonly since: number; readonly by?: Revocation }
  /** Since when it may be refused as revoked; `except` counts for nothing. */
  readonly doubtedSince: (token: Bearer, except?: Call) => number
  readonly isSuperseded: Supersession
}

/** What the revocations of a history cover, each token judged by its claims alone. */
export function createCoverage(history: History, graceMs: number): Coverage {
  const isSuperseded = createSupersession(history.calls, graceMs)
  const revocations = history.calls.flatMap((call) => revocationIn(call, isSuperseded))
  const byTarget = groupBy(revocations, keyOf)
  const floors = levelFloors(revocations, history.tokens)

  function candidates(token: Bearer): Revocation[] {
    const keys = [`session ${token.sid}`, `user ${token.sub}`, 'everyone ']
    if ('jti' in token) keys.push(`token ${token.jti}`)
    return keys.flatMap((key) => byTarget.get(key) ?? [])
  }

  function surelyCovers(revocation: Revocation, token: Bearer): boolean {
    const { scope } = revocation
    if (!isConfirmed(revocation) || isSpared(revocation, token)) return false
    if (scope === 'token' || scope === 'session') return true
    return levelOf(token, scope) < (floors.get(revocation) ?? 0)
  }

  function mayCover(revocation: Revocation, token: Bearer): boolean {
    const { scope, level, end } = revocation
    if (isRefused(revocation) || isSpared(revocation, token)) return false
    if (scope === 'token' || scope === 'session') return true
    if (level !== undefined) return levelOf(token, scope) < level
    const settled = isConfirmed(revocation) ? end : end + settleMs
    return token.minted.start < settled
  }

  return {
    isSuperseded,
    dead(token) {
      const by = earliest(
        candidates(token).filter((revocation) => surelyCovers(revocation, token)),
        (revocation) => revocation.end
      )
      return by === undefined ? { since: Number.POSITIVE_INFINITY } : { since: by.end, by }
    },
    doubtedSince(token, except) {
      const doubts = candidates(token).filter(
        (revocation) => !isSameCall(revocation, except) && mayCover(revocation, token)
      )
      return Math.min(...doubts.map(({ start }) => start))
    }
  }
}

/** A refresh token that was used too often ends its session: that is a revocation, too. */
function revocationIn(call: Call, isSuperseded: Supersession): Revocation[] {
  if (call.kind === 'revocation') return [call]
  if (call.kind !== 'refresh' || isSuccess(call)) return []
  const { outcome, token, start, end, node } = call
  const isReused = outcome.kind === 'answered' && outcome.code === 'REFRESH_REUSED'
  // One whose answer was lost may have been taken up when others had used the token up.
  if (!isReused && !isSuperseded(call, end + settleMs)) return []
  const session = { scope: 'session', target: token.sid } as const
  return [{ kind: 'revocation', route: 'reuse', ...session, start, end, node, outcome }]
}

function isConfirmed(revocation: Revocation): boolean {
  const { outcome } = revocation
  if (isSuccess(revocation)) return true
  return outcome.kind === 'answered' && outcome.code === 'REFRESH_REUSED'
}

/** It was turned away and changed nothing. */
function isRefused(revocation: Revocation): boolean {
  const { outcome } = revocation
  return !isConfirmed(revocation) && outcome.kind === 'answered' && outcome.status < 500
}

const isSpared = ({ spares }: Revocation, token: Bearer): boolean =>
  spares === token.sid && !('jti' in token)

const isSameCall = (one: Revocation, other: Call | undefined): boolean =>
  other !== undefined &&
  one.node === other.node &&
  one.start === other.start &&
  one.end === other.end

const keyOf = ({ scope, target }: Revocation): string => `${scope} ${target}`

const levelOf = (token: Bearer, scope: 'user' | 'everyone'): number =>
  scope === 'user' ? token.ver : token.gen

/**
 * What each confirmed revocation of a user or of everyone raised the level to at least: above every
 * level that had been seen when it began.
 */
function levelFloors(
  revocations: readonly Revocation[],
  tokens: readonly AccessToken[]
): Map<Revocation, number> {
  const tokensOf = groupBy(tokens, (token) => token.sub)
  const floors = new Map<Revocation, number>()
  for (const group of groupBy(revocations.filter(isConfirmed), keyOf).values()) {
    for (const revocation of group.sort((one, other) => one.start - other.start)) {
      const { scope, target, level, by, start } = revocation
      if (scope === 'token' || scope === 'session') break
      const affected = scope === 'user' ? (tokensOf.get(target) ?? []) : tokens
      const seen = [
        ...affected
          .filter(({ minted }) => minted.end <= start)
          .map((token) => levelOf(token, scope)),
        ...group.filter(({ end }) => end <= start).map((earlier) => floors.get(earlier) ?? 0),
        ...(by === undefined || scope === 'everyone' ? [] : [by.ver])
      ]
      floors.set(revocation, level ?? largest(seen) + 1)
    }
  }
  return floors
}

/** -1 where there is none. Written out, as histories are longer than argument lists may be. */
function largest(numbers: readonly number[]): number {
  return numbers.reduce((most, number) => Math.max(most, number), -1)
}

function earliest<T>(all: readonly T[], at: (one: T) => number): T | undefined {
  return all.reduce<T | undefined>(
    (first, one) => (first === undefined || at(one) < at(first) ? one : first),
    undefined
  )
}
