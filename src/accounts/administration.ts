import { uuidv7 } from 'uuidv7'
import { recordAudit } from '../audit/events.js'
import type { Actor } from '../audit/origin.js'
import { type Database, isUniqueViolation, type Queries } from '../database/connection.js'
import type { Passwords } from '../passwords/passwords.js'
import type { Receipt } from '../revocation/announcer.js'
import { type AccountUpdateOptions, createAccountUpdate, type Order } from './account-update.js'
import { findUsers, isStillAdmin, lockUser, type UserQuery } from './administration-store.js'
import { canonicalEmail } from './email.js'
import { isLastAdmin } from './last-admin.js'
import { canonicalRoles, rolesFault } from './roles.js'
import { deleteUser, findUser, insertUser, type User } from './store.js'

export interface AdministrationOptions extends AccountUpdateOptions {
  readonly database: Database
  readonly passwords: Passwords
}

export interface NewAccount {
  readonly email: string
  readonly password: string
  readonly name: string
  readonly roles: readonly string[]
}

export interface UserPage {
  readonly users: readonly User[]
  /** The account after which the next page begins; undefined where this is the last one. */
  readonly next: string | undefined
}

export type AccountCreation =
  | { readonly kind: 'created'; readonly user: User }
  | { readonly kind: 'email taken' }
  /** Whoever asked was an administrator then, and is none any more. */
  | { readonly kind: 'not allowed' }
  | { readonly kind: 'weak password' | 'invalid roles'; readonly reason: string }

export type AccountRemoval =
  | { readonly kind: 'deleted'; readonly receipt: Receipt }
  | { readonly kind: 'not found' | 'last admin' }

export type Administration = ReturnType<typeof createAdministration>

/** Accounts as operators handle them: over HTTP, and from a terminal. */
export function createAdministration(options: AdministrationOptions) {
  const { database, passwords, revocation, clock } = options

  async function remove(userId: string, { origin, reason }: Order) {
    return await database.transaction(async (tx) => {
      const user = await lockUser(tx, userId)
      if (user === undefined) return undefined
      if (await isLastAdmin(tx, user)) return 'last admin'
      await deleteUser(tx, user)
      await recordAudit(
        tx,
        {
          action: 'account.deleted',
          outcome: 'success',
          origin,
          subject: { kind: 'account', id: userId },
          userId,
          reason: reason ?? null
        },
        new Date(clock())
      )
      const order = { kind: 'user', target: userId, level: user.tokenVersion + 1 } as const
      return await revocation.record(tx, order, { reason: reason ?? 'account deleted', origin })
    })
  }

  return {
    /** One page, newest first. @throws DatabaseUnavailable */
    async search(query: UserQuery): Promise<UserPage> {
      const { limit } = query
      const found = await database.read((db) => findUsers(db, { ...query, limit: limit + 1 }))
      const users = found.slice(0, limit)
      return { users, next: found.length > limit ? users.at(-1)?.id : undefined }
    },

    /** @throws DatabaseUnavailable */
    async find(userId: string): Promise<User | undefined> {
      return await database.read((db) => findUser(db, userId))
    },

    /**
     * Makes an account that nobody is logged in to yet.
     *
     * @throws HashQueueFull, DatabaseUnavailable
     */
    async create(input: NewAccount, { origin, reason }: Order): Promise<AccountCreation> {
      const fault = rolesFault(input.roles)
      if (fault !== undefined) return { kind: 'invalid roles', reason: fault }
      const { name } = input
      const email = canonicalEmail(input.email)
      const strength = passwords.check(input.password, { email, name })
      if (strength.kind === 'weak') return { kind: 'weak password', reason: strength.reason }
      const passwordHash = await passwords.hash(strength.password)
      const roles = canonicalRoles(input.roles)
      const now = new Date(clock())
      try {
        return await database.transaction(async (tx) => {
          // The hash took its time.
          if (!(await mayAdminister(tx, origin.actor))) return { kind: 'not allowed' }
          const user = await insertUser(tx, { id: uuidv7(), email, name, passwordHash, roles }, now)
          await recordAudit(
            tx,
            {
              action: 'account.created',
              outcome: 'success',
              origin,
              subject: { kind: 'account', id: user.id },
              userId: user.id,
              reason: reason ?? null,
              details: { roles }
            },
            now
          )
          return { kind: 'created', user }
        })
      } catch (error) {
        if (isUniqueViolation(error, 'users_email_unique')) return { kind: 'email taken' }
        throw error
      }
    },

    update: createAccountUpdate(options),

    /**
     * Deletes an account with its sessions; every token dies. The same call again waits again for
     * what is not confirmed yet. After that there is no such account.
     *
     * @throws RevocationUnconfirmed, DatabaseUnavailable
     */
    async delete(userId: string, order: Order): Promise<AccountRemoval> {
      const removed = await remove(userId, order)
      if (removed === 'last admin') return { kind: 'last admin' }
      const recorded = removed ?? (await revocation.findUnconfirmed('user', userId))
      if (recorded === undefined) return { kind: 'not found' }
      return { kind: 'deleted', receipt: await revocation.announce(recorded) }
    }
  }
}

/** Whom no account stands behind has proved elsewhere that this is theirs to do: at a terminal. */
async function mayAdminister(tx: Queries, actor: Actor): Promise<boolean> {
  return actor.kind !== 'user' || (await isStillAdmin(tx, actor.id))
}
