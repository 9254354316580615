import { type AuditAction, recordAudit } from '../audit/events.js'
import type { Origin } from '../audit/origin.js'
import type { Clock } from '../clock.js'
import type { Database, Queries } from '../database/connection.js'
import type { Receipt } from '../revocation/announcer.js'
import type { RevocationService } from '../revocation/revocation.js'
import type { Revocation } from '../revocation/store.js'
import { moveSessionsTo } from '../sessions/store.js'
import { lockUser, updateUser } from './administration-store.js'
import { isEnabledAdmin, isLastAdmin } from './last-admin.js'
import { canonicalRoles, rolesFault } from './roles.js'
import type { User } from './store.js'

/** On whose behalf an account is changed, and why, where that was said. */
export interface Order {
  readonly origin: Origin
  readonly reason?: string | undefined
}

/** What is left out stays as it is. */
export interface AccountChanges {
  readonly name?: string | undefined
  readonly roles?: readonly string[] | undefined
  readonly disabled?: boolean | undefined
}

/** The receipt is null where nothing had to be revoked. */
export type AccountUpdate =
  | { readonly kind: 'updated'; readonly user: User; readonly receipt: Receipt | null }
  | { readonly kind: 'invalid roles'; readonly reason: string }
  | { readonly kind: 'not found' | 'last admin' }

/** What really changes. */
interface Difference {
  readonly name?: string
  readonly roles?: string[]
  readonly disabled?: boolean
}

interface Written {
  readonly kind: 'written'
  readonly user: User
  readonly revocation: Revocation | undefined
}

export interface AccountUpdateOptions {
  readonly database: Database
  readonly revocation: Pick<RevocationService, 'record' | 'announce' | 'findUnconfirmed'>
  readonly clock: Clock
}

export function createAccountUpdate({ database, revocation, clock }: AccountUpdateOptions) {
  /** Everything that changes takes effect together. */
  async function write(
    tx: Queries,
    userId: string,
    changes: AccountChanges,
    order: Order
  ): Promise<Written | { readonly kind: 'not found' | 'last admin' }> {
    const before = await lockUser(tx, userId)
    if (before === undefined) return { kind: 'not found' }
    const difference = differenceOf(before, changes)
    if (Object.keys(difference).length === 0) {
      return { kind: 'written', user: before, revocation: undefined }
    }
    const now = new Date(clock())
    const kills = difference.roles !== undefined || difference.disabled === true
    const after = applied(before, difference, now)
    if (isEnabledAdmin(before) && !isEnabledAdmin(after) && (await isLastAdmin(tx, before))) {
      return { kind: 'last admin' }
    }
    const tokenVersion = before.tokenVersion + (kills ? 1 : 0)
    const user = await updateUser(tx, { ...after, tokenVersion }, now)
    for (const event of eventsOf(before, difference)) {
      const { origin, reason = null } = order
      const subject = { kind: 'account', id: userId }
      await recordAudit(tx, { ...event, outcome: 'success', origin, subject, userId, reason }, now)
    }
    if (!kills) return { kind: 'written', user, revocation: undefined }
    const livesOn = before.disabledAt === null && after.disabledAt === null
    if (livesOn) await moveSessionsTo(tx, userId, tokenVersion)
    const usual = difference.disabled === true ? 'account disabled' : 'roles changed'
    return {
      kind: 'written',
      user,
      revocation: await revocation.record(
        tx,
        { kind: 'user', target: userId, level: tokenVersion },
        { reason: order.reason ?? usual, origin: order.origin }
      )
    }
  }

  /**
   * Changes an account. New roles kill its access tokens, though its sessions go on; disabling kills
   * both, and enabling revives neither. The same call again waits again for what was recorded and is
   * not confirmed yet.
   *
   * @throws RevocationUnconfirmed, DatabaseUnavailable
   */
  return async function update(
    userId: string,
    changes: AccountChanges,
    order: Order
  ): Promise<AccountUpdate> {
    const fault = changes.roles && rolesFault(changes.roles)
    if (fault !== undefined) return { kind: 'invalid roles', reason: fault }
    const outcome = await database.transaction((tx) => write(tx, userId, changes, order))
    if (outcome.kind !== 'written') return outcome
    const kills = changes.roles !== undefined || changes.disabled === true
    const pending =
      outcome.revocation ?? (kills ? await revocation.findUnconfirmed('user', userId) : undefined)
    const receipt = pending === undefined ? null : await revocation.announce(pending)
    return { kind: 'updated', user: outcome.user, receipt }
  }
}

function differenceOf(user: User, { name, roles, disabled }: AccountChanges): Difference {
  const next = roles && canonicalRoles(roles)
  const hasSameRoles = next === undefined || sameRoles(next, user.roles)
  const isSoAlready = disabled === undefined || disabled === (user.disabledAt !== null)
  return {
    ...(name === undefined || name === user.name ? {} : { name }),
    ...(hasSameRoles ? {} : { roles: next }),
    ...(isSoAlready ? {} : { disabled })
  }
}

function sameRoles(roles: readonly string[], others: readonly string[]): boolean {
  return roles.length === others.length && roles.every((role) => others.includes(role))
}

function applied(user: User, { disabled, ...rest }: Difference, now: Date): User {
  if (disabled === undefined) return { ...user, ...rest }
  return { ...user, ...rest, disabledAt: disabled ? now : null }
}

interface Change {
  readonly action: AuditAction
  readonly details?: Readonly<Record<string, unknown>>
}

function eventsOf(before: User, { name, roles, disabled }: Difference): Change[] {
  const events: Change[] = []
  if (name !== undefined) events.push({ action: 'account.renamed' })
  if (roles !== undefined) {
    events.push({ action: 'account.roles_changed', details: { from: before.roles, to: roles } })
  }
  if (disabled !== undefined) {
    events.push({ action: disabled ? 'account.disabled' : 'account.enabled' })
  }
  return events
}
