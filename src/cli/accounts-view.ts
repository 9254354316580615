import type { User } from '../accounts/store.js'
import { fields, table } from './table.js'
import { instant } from './times.js'

/** An account as operators see it: never the hash. */
export function accountValue(user: User) {
  const { id, email, name, roles, tokenVersion, emailVerifiedAt, disabledAt, createdAt } = user
  return { id, email, name, roles, tokenVersion, emailVerifiedAt, disabledAt, createdAt }
}

export function accountText(user: User, more: Readonly<Record<string, number>> = {}): string {
  return fields({
    id: user.id,
    email: user.email,
    name: user.name,
    roles: user.roles.join(', '),
    disabled: user.disabledAt === null ? 'no' : instant(user.disabledAt),
    created: instant(user.createdAt),
    ...more
  })
}

export function accountsTable(users: readonly User[]): string {
  const head = ['ID', 'EMAIL', 'NAME', 'ROLES', 'DISABLED', 'CREATED']
  const rows = users.map((user) => [
    user.id,
    user.email,
    user.name,
    user.roles.join(','),
    instant(user.disabledAt),
    instant(user.createdAt)
  ])
  return rows.length === 0 ? 'No account fits.' : table(head, rows)
}
