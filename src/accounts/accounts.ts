import { uuidv7 } from 'uuidv7'
import { type AuditEvent, recordAudit } from '../audit/events.js'
import type { Origin } from '../audit/origin.js'
import type { Clock } from '../clock.js'
import { type Database, isUniqueViolation, type Queries } from '../database/connection.js'
import type { Passwords } from '../passwords/passwords.js'
import type { Receipt } from '../revocation/announcer.js'
import type { RevocationService } from '../revocation/revocation.js'
import type { Cause } from '../revocation/recorder.js'
import type { Credentials } from '../sessions/credentials.js'
import type { Client, Sessions } from '../sessions/sessions.js'
import { moveSessionTo } from '../sessions/store.js'
import { lockUser } from './administration-store.js'
import { canonicalEmail } from './email.js'
import { isLastAdmin } from './last-admin.js'
import { createLogin } from './login.js'
import {
  changePasswordHash,
  deleteUser,
  findUser,
  findUserByEmail,
  insertUser,
  raisedTokenVersion,
  renameUser,
  type User
} from './store.js'

export interface AccountOptions {
  readonly database: Database
  readonly passwords: Passwords
  readonly sessions: Sessions
  readonly revocation: RevocationService
  readonly clock: Clock
}

export type Registration =
  | { readonly kind: 'registered'; readonly user: User; readonly credentials: Credentials }
  | { readonly kind: 'email taken' }
  | { readonly kind: 'weak password'; readonly reason: string }

export type PasswordChange =
  | { readonly kind: 'changed' }
  | { readonly kind: 'wrong password' }
  | { readonly kind: 'weak password'; readonly reason: string }
  /** The account was changed or deleted meanwhile, and the caller's token died of it. */
  | { readonly kind: 'gone' }

export type Deletion = { readonly kind: 'deleted' | 'wrong password' | 'gone' | 'last admin' }

/** The version is the smallest that is still good. */
export interface UserRevocation {
  readonly tokenVersion: number
  readonly receipt: Receipt
}

const logOutEverywhereReason = 'logout everywhere'

type Proof =
  { readonly kind: 'proved'; readonly user: User } | { readonly kind: 'wrong password' | 'gone' }

export type Accounts = ReturnType<typeof createAccounts>

export function createAccounts(options: AccountOptions) {
  const { database, passwords, sessions, revocation, clock } = options
  const today = () => new Date(clock())

  async function recordUserRevocation(tx: Queries, userId: string, level: number, cause: Cause) {
    return await revocation.record(tx, { kind: 'user', target: userId, level }, cause)
  }

  async function audit(tx: Queries, action: AuditEvent['action'], userId: string, origin: Origin) {
    await recordAudit(tx, accountEvent(action, userId, origin), today())
  }

  /**
   * Proves a password for what it is needed for. That it was wrong is audited: whoever tries has a
   * token of the account.
   *
   * @throws HashQueueFull, DatabaseUnavailable
   */
  async function prove(
    userId: string,
    password: string,
    purpose: { readonly action: AuditEvent['action']; readonly origin: Origin }
  ): Promise<Proof> {
    const user = await database.read((db) => findUser(db, userId))
    if (user === undefined) return { kind: 'gone' }
    const { matches } = await passwords.verify(password, user.passwordHash)
    if (matches) return { kind: 'proved', user }
    const event = accountEvent(purpose.action, userId, purpose.origin)
    const refused = { ...event, outcome: 'refused', reason: 'wrong password' } as const
    await database.write((db) => recordAudit(db, refused, today()))
    return { kind: 'wrong password' }
  }

  /**
   * Kills every session and token of a user.
   *
   * @returns undefined where there is no such account
   * @throws RevocationUnconfirmed, DatabaseUnavailable
   */
  async function revoke(userId: string, cause: Cause): Promise<UserRevocation | undefined> {
    const order = { kind: 'user', target: userId } as const
    const recorded = await revocation.change(raisedTokenVersion(userId, today()), order, cause)
    if (recorded?.level == null) return undefined
    return { tokenVersion: recorded.level, receipt: await revocation.announce(recorded) }
  }

  return {
    login: createLogin(options),

    async find(userId: string): Promise<User | undefined> {
      return await database.read((db) => findUser(db, userId))
    },

    async rename(userId: string, name: string, origin: Origin): Promise<User | undefined> {
      return await database.transaction(async (tx) => {
        const user = await renameUser(tx, userId, name, today())
        if (user !== undefined) await audit(tx, 'account.renamed', userId, origin)
        return user
      })
    },

    /** Makes an account and opens its first session, both or neither. */
    async register(
      input: { readonly email: string; readonly password: string; readonly name: string },
      client: Client
    ): Promise<Registration> {
      const email = canonicalEmail(input.email)
      const strength = passwords.check(input.password, { email, name: input.name })
      if (strength.kind === 'weak') return { kind: 'weak password', reason: strength.reason }
      if ((await database.read((db) => findUserByEmail(db, email))) !== undefined) {
        return { kind: 'email taken' }
      }
      const passwordHash = await passwords.hash(strength.password)
      const entry = { id: uuidv7(), email, name: input.name, passwordHash, roles: [] }
      try {
        return await database.transaction(async (tx) => {
          const origin: Origin = { actor: { kind: 'user', id: entry.id }, ip: client.ip }
          const event = accountEvent('account.registered', entry.id, origin)
          const user = await insertUser(tx, entry, today(), event)
          const owner = { id: user.id, expectedVersion: user.tokenVersion }
          const credentials = await sessions.open(tx, owner, client, 'registration')
          if (credentials === undefined) throw new Error('A new account could not open a session')
          return { kind: 'registered', user, credentials }
        })
      } catch (error) {
        if (isUniqueViolation(error, 'users_email_unique')) return { kind: 'email taken' }
        throw error
      }
    },

    revoke,

    /** As `revoke`, asked for by the user. */
    async logOutEverywhere(userId: string, origin: Origin): Promise<UserRevocation | undefined> {
      return await revoke(userId, { reason: logOutEverywhereReason, origin })
    },

    /**
     * Waits again for a logout everywhere that ended this token version and was recorded, but not
     * yet confirmed, so that the call that was told so can be repeated. A password change is none:
     * it leaves a session alive. @returns undefined where there is none
     */
    async confirmLogOutEverywhere(userId: string, version: number) {
      const pending = await revocation.findLive('user', userId)
      if (pending?.reason !== logOutEverywhereReason || pending.confirmedAt !== null)
        return undefined
      if (pending.level === null || pending.level <= version) return undefined
      return { tokenVersion: pending.level, receipt: await revocation.announce(pending) }
    },

    /**
     * Sets a new password. Every token and every other session dies; the session that asked lives
     * on and gets a new access token by refreshing.
     *
     * @throws HashQueueFull, RevocationUnconfirmed, DatabaseUnavailable
     */
    async changePassword(
      caller: { readonly userId: string; readonly sessionId: string; readonly version: number },
      input: { readonly currentPassword: string; readonly newPassword: string },
      origin: Origin
    ): Promise<PasswordChange> {
      const action = 'account.password_changed'
      const proof = await prove(caller.userId, input.currentPassword, { action, origin })
      if (proof.kind !== 'proved') return { kind: proof.kind }
      const { user } = proof
      // The session must not be carried over a revocation that came since the caller's token was checked.
      if (user.tokenVersion !== caller.version) return { kind: 'gone' }
      const strength = passwords.check(input.newPassword, user)
      if (strength.kind === 'weak') return { kind: 'weak password', reason: strength.reason }
      const passwordHash = await passwords.hash(strength.password)
      const cause = { reason: 'password changed', origin }
      const recorded = await database.transaction(async (tx) => {
        const level = await changePasswordHash(tx, user, passwordHash, today())
        if (level === undefined) return undefined
        await moveSessionTo(tx, caller.sessionId, level)
        await audit(tx, action, user.id, origin)
        return await recordUserRevocation(tx, user.id, level, cause)
      })
      if (recorded === undefined) return { kind: 'gone' }
      await revocation.announce(recorded)
      return { kind: 'changed' }
    },

    /** Deletes an account with its sessions. @throws as changePassword */
    async delete(userId: string, password: string, origin: Origin): Promise<Deletion> {
      const action = 'account.deleted'
      const proof = await prove(userId, password, { action, origin })
      if (proof.kind !== 'proved') return { kind: proof.kind }
      const { user } = proof
      const cause = { reason: 'account deleted', origin }
      const recorded = await database.transaction(async (tx) => {
        const current = await lockUser(tx, user.id)
        if (current !== undefined && (await isLastAdmin(tx, current))) return 'last admin'
        const version = await deleteUser(tx, user)
        if (version === undefined) return undefined
        await audit(tx, action, user.id, origin)
        return await recordUserRevocation(tx, user.id, version + 1, cause)
      })
      if (recorded === 'last admin') return { kind: 'last admin' }
      if (recorded === undefined) return { kind: 'gone' }
      await revocation.announce(recorded)
      return { kind: 'deleted' }
    }
  }
}

function accountEvent(action: AuditEvent['action'], userId: string, origin: Origin): AuditEvent {
  const subject = { kind: 'account', id: userId }
  return { action, outcome: 'success', origin, subject, userId, reason: null }
}
