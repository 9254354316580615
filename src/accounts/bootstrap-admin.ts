import { sql } from 'drizzle-orm'
import { uuidv7 } from 'uuidv7'
import type { AuditEvent } from '../audit/events.js'
import { serviceOrigin } from '../audit/origin.js'
import type { Clock } from '../clock.js'
import { type Database, isUniqueViolation } from '../database/connection.js'
import type { Passwords } from '../passwords/passwords.js'
import { canonicalEmail } from './email.js'
import { existsWithRole, insertUser } from './store.js'

/** The first admin can't be made as configured. The message says why, and is for the operator. */
export class BootstrapError extends Error {
  override name = 'BootstrapError'
}

/** Held while the first admin is made, so that of several nodes that start at once one makes it. */
const lockKey = 0x6b637264

/**
 * Makes the first admin, once: where there is an admin already, nothing happens.
 *
 * @throws BootstrapError
 */
export async function bootstrapAdmin(
  parts: { readonly database: Database; readonly passwords: Passwords; readonly clock: Clock },
  admin: { readonly email: string; readonly password: string }
): Promise<void> {
  const { database, passwords, clock } = parts
  if (await database.read((db) => existsWithRole(db, 'admin'))) return
  const email = canonicalEmail(admin.email)
  const strength = passwords.check(admin.password, { email, name: 'Administrator' })
  if (strength.kind === 'weak') {
    throw new BootstrapError(`BOOTSTRAP_ADMIN_PASSWORD is too weak. ${strength.reason}`)
  }
  const passwordHash = await passwords.hash(strength.password)
  const entry = { id: uuidv7(), email, name: 'Administrator', passwordHash, roles: ['admin'] }
  try {
    await database.transaction(async (tx) => {
      await tx.execute(sql`select pg_advisory_xact_lock(${lockKey})`)
      if (await existsWithRole(tx, 'admin')) return
      await insertUser(tx, entry, new Date(clock()), createdEvent(entry.id, entry.roles))
    })
  } catch (error) {
    if (!isUniqueViolation(error, 'users_email_unique')) throw error
    throw new BootstrapError('BOOTSTRAP_ADMIN_EMAIL belongs to an account that is no admin')
  }
}

function createdEvent(id: string, roles: readonly string[]): AuditEvent {
  return {
    action: 'account.created',
    outcome: 'success',
    origin: serviceOrigin,
    subject: { kind: 'account', id },
    userId: id,
    reason: 'the first admin',
    details: { roles }
  }
}
