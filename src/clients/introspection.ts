import type { Accounts } from '../accounts/accounts.js'
import type { Database } from '../database/connection.js'
import { readFromDatabase } from '../revocation/database-check.js'
import { decide } from '../revocation/decision.js'
import type { LiveRefreshToken, Sessions } from '../sessions/sessions.js'
import type { AccessTokens } from '../tokens/access-tokens.js'
import type { AccessClaims } from '../tokens/claims.js'

/** What a token is. Why one is inactive is nobody's business (RFC 7662 §2.2). */
export type Introspection =
  | { readonly kind: 'access token'; readonly claims: AccessClaims }
  | { readonly kind: 'refresh token'; readonly facts: LiveRefreshToken }
  | { readonly kind: 'inactive' }

export interface IntrospectionOptions {
  readonly database: Database
  readonly accessTokens: Pick<AccessTokens, 'verify'>
  readonly sessions: Pick<Sessions, 'inspect'>
  readonly accounts: Pick<Accounts, 'find'>
}

export type Introspect = ReturnType<typeof createIntrospection>

const inactive: Introspection = Object.freeze({ kind: 'inactive' })

export function createIntrospection(options: IntrospectionOptions) {
  const { database, accessTokens, sessions, accounts } = options

  /** From Postgres alone: whoever asks here wants the truth, not what a node has heard of it. */
  async function isLive(claims: AccessClaims): Promise<boolean> {
    const [view, account] = await Promise.all([
      readFromDatabase(database, claims),
      accounts.find(claims.sub)
    ])
    return account?.disabledAt === null && decide(claims, view).kind === 'live'
  }

  /**
   * Tells an access token or a refresh token that is good at this moment from everything else.
   *
   * @throws DatabaseUnavailable where that can't be known
   */
  return async function introspect(token: string): Promise<Introspection> {
    const verification = accessTokens.verify(token)
    if (verification.kind === 'valid') {
      const { claims } = verification
      return (await isLive(claims)) ? { kind: 'access token', claims } : inactive
    }
    const facts = await sessions.inspect(token)
    return facts === undefined ? inactive : { kind: 'refresh token', facts }
  }
}
