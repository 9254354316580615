import type { Clock } from '../clock.js'
import type { Queries } from '../database/connection.js'
import type { AccessTokens } from '../tokens/access-tokens.js'
import type { RefreshTokens } from './refresh-token.js'
import { noteSigningKey, type SessionFacts } from './store.js'

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
  'id' | 'userId' | 'version' | 'generation' | 'roles' | 'expiresAt' | 'salt' | 'keyIds'
>

/** Runs a statement, in the transaction at hand or without one. */
export type Write = (query: (db: Queries) => Promise<void>) => Promise<void>

export type IssueCredentials = ReturnType<typeof createCredentials>

/**
 * Mints the pair of tokens for a session. Tokens carry the version and generation of the session,
 * and live no longer than if they had been minted at `asOfMs`, before that was read. Where the key
 * ring was replaced since the session's row was written, `write` notes the key first.
 */
export function createCredentials(options: {
  accessTokens: AccessTokens
  refreshTokens: RefreshTokens
  idleTtlSeconds: number
  clock: Clock
}) {
  const { accessTokens, refreshTokens, idleTtlSeconds, clock } = options

  return async function issue(
    session: SessionGrant,
    { counter, asOfMs }: { readonly counter: number; readonly asOfMs: number },
    write: Write
  ): Promise<Credentials> {
    const { id, userId, version, generation, roles, salt, expiresAt, keyIds } = session
    const access = accessTokens.issue({ userId, sessionId: id, version, generation, roles, asOfMs })
    const { keyId } = access
    if (!keyIds.includes(keyId)) await write((db) => noteSigningKey(db, id, keyId))
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
