import { recordAudit } from '../audit/events.js'
import type { Clock } from '../clock.js'
import type { Database } from '../database/connection.js'
import type { Passwords } from '../passwords/passwords.js'
import type { Credentials } from '../sessions/credentials.js'
import type { Client, Sessions } from '../sessions/sessions.js'
import { canonicalEmail } from './email.js'
import { findUserByEmail, replacePasswordHash, type User } from './store.js'

export type Login =
  | { readonly kind: 'opened'; readonly user: User; readonly credentials: Credentials }
  | { readonly kind: 'refused'; readonly reason: LoginRefusal; readonly userId: string | null }
  | { readonly kind: 'disabled'; readonly userId: string }

/** For the log and the audit alone: the answer tells none from the other. */
export type LoginRefusal = 'unknown e-mail' | 'wrong password' | 'account changed meanwhile'

export interface LoginOptions {
  readonly database: Database
  readonly passwords: Passwords
  readonly sessions: Sessions
  readonly clock: Clock
}

const attempts = 3

export function createLogin({ database, passwords, sessions, clock }: LoginOptions) {
  /** The password is good under old parameters: store it under today's. Never fails a login. */
  async function rehash(user: User, password: string): Promise<void> {
    try {
      const to = await passwords.hash(password)
      await database.write((db) =>
        replacePasswordHash(db, user.id, { from: user.passwordHash, to })
      )
    } catch {
      // The queue is full or the database is away: the next login tries again.
    }
  }

  /** One statement like any other refusal's, so that it takes the same time for all. */
  async function recordRefusal(reason: string, userId: string | null, ip: string): Promise<void> {
    const event = {
      action: 'session.opened',
      outcome: 'refused',
      origin: { actor: { kind: 'nobody' }, ip },
      subject: null,
      userId,
      reason
    } as const
    await database.write((db) => recordAudit(db, event, new Date(clock())))
  }

  async function refuse(reason: LoginRefusal, userId: string | null, ip: string): Promise<Login> {
    await recordRefusal(reason, userId, ip)
    return { kind: 'refused', reason, userId }
  }

  /**
   * Proves a password and opens a session. An unknown e-mail costs the same hash as a wrong
   * password and gets the same answer. The session opens only under the token version that was read
   * with the password hash; when that changed meanwhile, the new state is judged from the start,
   * though an unchanged hash need not be proved twice.
   *
   * @throws HashQueueFull, DatabaseUnavailable
   */
  return async function login(
    input: { readonly email: string; readonly password: string },
    client: Client
  ): Promise<Login> {
    const email = canonicalEmail(input.email)
    let provedHash: string | undefined
    let userId: string | null = null
    for (let count = 0; count < attempts; count++) {
      const user = await database.read((db) => findUserByEmail(db, email))
      if (user === undefined || user.passwordHash !== provedHash) {
        const proof = await passwords.verify(input.password, user?.passwordHash)
        if (user === undefined) return await refuse('unknown e-mail', null, client.ip)
        if (!proof.matches) return await refuse('wrong password', user.id, client.ip)
        if (proof.needsRehash) await rehash(user, input.password)
      }
      provedHash = user.passwordHash
      userId = user.id
      if (user.disabledAt !== null) {
        await recordRefusal('account disabled', userId, client.ip)
        return { kind: 'disabled', userId }
      }
      const credentials = await database.write((db) =>
        sessions.open(db, { id: user.id, expectedVersion: user.tokenVersion }, client, 'login')
      )
      if (credentials !== undefined) return { kind: 'opened', user, credentials }
    }
    return await refuse('account changed meanwhile', userId, client.ip)
  }
}
