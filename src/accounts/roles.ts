/** The role that the admin routes ask for. */
export const adminRole = 'admin'

export const rolePattern = /^[a-z][a-z0-9_-]{0,31}$/
export const maxRoles = 16

/** Why these can't be the roles of an account, in a sentence; undefined where they can. */
export function rolesFault(roles: readonly string[]): string | undefined {
  if (roles.length > maxRoles) return `An account has at most ${maxRoles} roles.`
  if (!roles.every((role) => rolePattern.test(role))) {
    return 'A role is a lower-case letter and up to 31 letters, digits, hyphens and underscores.'
  }
  return new Set(roles).size < roles.length ? 'A role is given twice.' : undefined
}

/** Roles as they are kept: they are a set, so that another order is no change. */
export function canonicalRoles(roles: readonly string[]): string[] {
  return [...roles].sort()
}
