import type { AccessToken, Outcome, RefreshToken } from './history.js'
import type { Move } from './model.js'

export interface ModelPair {
  readonly access: AccessToken
  readonly refresh: RefreshToken
}

/** What came of a move when it took effect. */
export interface Change {
  readonly outcome: Outcome
  readonly minted?: ModelPair
  readonly level?: number
  /** The tokens that were alive for all that this revocation is about, and no longer are. */
  readonly killed?: readonly (AccessToken | RefreshToken)[]
}

interface Session {
  readonly sid: string
  readonly sub: string
  readonly gen: number
  ver: number
  counter: number
  advancedAt: number
  isRevoked: boolean
}

const answered = (status: number, code?: string): Outcome => ({
  kind: 'answered',
  status,
  retryAfter: false,
  ...(code === undefined ? {} : { code })
})

/** Keycard in a hundred lines: one process, no clock but the one it is told, nothing ever fails. */
export function createModelService(users: number, graceMs: number) {
  const versions = new Map(Array.from({ length: users }, (_, index) => [`user ${index + 1}`, 0]))
  const sessions = new Map<string, Session>()
  const denied = new Set<string>()
  const pairs: ModelPair[] = []
  let generation = 0
  let ids = 0

  const versionOf = (sub: string): number => versions.get(sub) ?? 0

  function isLive(token: AccessToken): boolean {
    return (
      token.gen === generation &&
      token.ver === versionOf(token.sub) &&
      sessions.get(token.sid)?.isRevoked === false &&
      !denied.has(token.jti)
    )
  }

  function mint({ sid, sub, ver, gen, counter }: Session): ModelPair {
    const minted = { start: 0, end: 0 }
    const covered = { sid, sub, ver, gen, minted }
    const access = { ...covered, jti: `token ${++ids}`, expiresAt: Number.POSITIVE_INFINITY }
    const pair = { access, refresh: { ...covered, ordinal: counter } }
    pairs.push(pair)
    return pair
  }

  function logIn(sub: string, now: number): Change {
    const sid = `session ${++ids}`
    const opened = { sid, sub, ver: versionOf(sub), gen: generation }
    const session = { ...opened, counter: 0, advancedAt: now, isRevoked: false }
    sessions.set(sid, session)
    return { outcome: answered(200), minted: mint(session) }
  }

  function refresh({ sid, ordinal }: RefreshToken, now: number): Change {
    const session = sessions.get(sid)
    const invalid = { outcome: answered(401, 'INVALID_REFRESH_TOKEN') }
    if (session === undefined) return invalid
    if (session.ver !== versionOf(session.sub) || session.gen !== generation) return invalid
    const isInGrace = ordinal === session.counter - 1 && now - session.advancedAt < graceMs
    if (ordinal < session.counter && !isInGrace) {
      session.isRevoked = true
      return { outcome: answered(401, 'REFRESH_REUSED') }
    }
    if (session.isRevoked) return invalid
    if (!isInGrace) {
      session.counter += 1
      session.advancedAt = now
    }
    return { outcome: answered(200), minted: mint(session) }
  }

  function revoke(move: Extract<Move, { kind: 'revocation' }>): Change {
    const { scope, target, by, spares } = move
    if (by !== undefined && !isLive(by)) return { outcome: answered(401, 'TOKEN_REVOKED') }
    switch (scope) {
      case 'token':
        denied.add(target)
        return killing(pairs.map(({ access }) => access).filter(({ jti }) => jti === target))
      case 'session': {
        const session = sessions.get(target)
        if (session !== undefined) session.isRevoked = true
        return killing(both(({ access }) => access.sid === target))
      }
      case 'user': {
        const level = versionOf(target) + 1
        const dead = both(({ access }) => access.sub === target && access.ver < level)
        versions.set(target, level)
        const spared = spares === undefined ? undefined : sessions.get(spares)
        if (spared?.ver === level - 1) spared.ver = level
        const killed = dead.filter((token) => 'jti' in token || token.sid !== spares)
        return { ...killing(killed), level }
      }
      case 'everyone':
        generation += 1
        return killing(both(({ access }) => access.gen < generation))
    }
  }

  const both = (isCovered: (pair: ModelPair) => boolean) =>
    pairs.filter(isCovered).flatMap(({ access, refresh }) => [access, refresh])

  const killing = (killed: Change['killed'] = []): Change => ({ outcome: answered(204), killed })

  return {
    apply(move: Move, now: number): Change {
      switch (move.kind) {
        case 'login':
          return logIn(move.sub, now)
        case 'visit':
          return { outcome: isLive(move.token) ? answered(200) : answered(401, 'TOKEN_REVOKED') }
        case 'refresh':
          return refresh(move.token, now)
        case 'revocation':
          return revoke(move)
      }
    }
  }
}
