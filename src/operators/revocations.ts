import type { Accounts } from '../accounts/accounts.js'
import type { Clock } from '../clock.js'
import type { Database } from '../database/connection.js'
import type { Receipt } from '../revocation/announcer.js'
import {
  listRevocations,
  type PastRevocation,
  type RecordedRevocation,
  readRevocation
} from '../revocation/history.js'
import type { RevocationService } from '../revocation/revocation.js'
import type { Cause } from '../revocation/recorder.js'
import type { Sessions } from '../sessions/sessions.js'

/** What an operator can revoke. `everyone` is every token and session there is. */
export type RevocationTarget =
  | { readonly kind: 'token'; readonly jti: string }
  | { readonly kind: 'session' | 'user'; readonly id: string }
  | { readonly kind: 'everyone' }

/** `revocation` is the earlier one where a session had been revoked already. */
export type OperatorRevocation =
  | {
      readonly kind: 'revoked'
      readonly revocation: RecordedRevocation
      readonly receipt: Receipt
    }
  | { readonly kind: 'no such target' }

export interface RevocationPage {
  readonly revocations: readonly PastRevocation[]
  /** The revocation after which the next page begins; undefined where this is the last one. */
  readonly next: string | undefined
}

export interface OperatorRevocationOptions {
  readonly database: Database
  readonly revocation: Pick<RevocationService, 'revokeToken' | 'revokeEveryone'>
  readonly sessions: Pick<Sessions, 'revokeAgain'>
  readonly accounts: Pick<Accounts, 'revoke'>
  readonly accessTokenTtlSeconds: number
  readonly clock: Clock
}

export type OperatorRevocations = ReturnType<typeof createOperatorRevocations>

/** Revocations that an operator asks for by the id of what is to die. */
export function createOperatorRevocations(options: OperatorRevocationOptions) {
  const { database, revocation, sessions, accounts, accessTokenTtlSeconds, clock } = options

  async function kill(target: RevocationTarget, cause: Cause): Promise<Receipt | undefined> {
    switch (target.kind) {
      case 'token': {
        // When it expires is not known: no token that exists now lives longer than this.
        const exp = Math.ceil(clock() / 1_000) + accessTokenTtlSeconds
        return await revocation.revokeToken({ jti: target.jti, exp }, cause)
      }
      case 'session':
        return await sessions.revokeAgain(target.id, cause)
      case 'user':
        return (await accounts.revoke(target.id, cause))?.receipt
      case 'everyone':
        return await revocation.revokeEveryone(cause)
    }
  }

  return {
    /**
     * Revokes, and waits until that is true on every node. The same call again revokes anew, except
     * that a session's revocation is announced once more.
     *
     * @throws RevocationUnconfirmed, DatabaseUnavailable
     */
    async revoke(target: RevocationTarget, cause: Cause): Promise<OperatorRevocation> {
      const receipt = await kill(target, cause)
      if (receipt === undefined) return { kind: 'no such target' }
      const recorded = await readRevocation(database, receipt.revocationId)
      return { kind: 'revoked', revocation: recorded, receipt }
    },

    /** What was revoked, one page, newest first. @throws DatabaseUnavailable */
    async list({
      after,
      limit
    }: {
      readonly after?: string | undefined
      readonly limit: number
    }): Promise<RevocationPage> {
      const found = await database.read((db) => listRevocations(db, { after, limit: limit + 1 }))
      const page = found.slice(0, limit)
      const next = found.length > limit ? page.at(-1)?.id : undefined
      return { revocations: page, next }
    }
  }
}
