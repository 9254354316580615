import type { Clock } from '../clock.js'
import type { AccessTokens } from '../tokens/access-tokens.js'
import type { RefreshTokens } from './refresh-token.js'
import type { SessionFacts } from './store.js'

/** What a client gets at login and refresh. Lifetimes in seconds. */
export interface Credentials {
  readonly sessionId: string
  readonly accessToken: string
  readonly expiresInSeconds: number
  readonly refreshToken: string
  readonly refreshExpiresInSeconds: number
}

export type SessionGrant = Pick<
  SessionFacts,
  'id' | 'userId' | 'version' | 'generation' | 'roles' | 'expiresAt' | 'salt'
>

export type IssueCredentials = ReturnType<typeof createCredentials>

/**
 * Mints the pair of tokens for a session. Tokens carry the version and generation of the session,
 * and live no longer than if they had been minted at `asOfMs`, before that was read.
 */
export function createCredentials(options: {
  accessTokens: AccessTokens
  refreshTokens: RefreshTokens
  idleTtlSeconds: number
  clock: Clock
}) {
  const { accessTokens, refreshTokens, idleTtlSeconds, clock } = options

  return function issue(session: SessionGrant, counter: number, asOfMs: number): Credentials {
    const { id, userId, version, generation, roles, salt, expiresAt } = session
    const access = accessTokens.issue({ userId, sessionId: id, version, generation, roles, asOfMs })
    const leftSeconds = Math.floor((expiresAt.getTime() - clock()) / 1_000)
    return {
      sessionId: id,
      accessToken: access.token,
      expiresInSeconds: access.expiresInSeconds,
      refreshToken: refreshTokens.mint(id, counter, salt),
      refreshExpiresInSeconds: Math.max(0, Math.min(leftSeconds, idleTtlSeconds))
    }
  }
}
