import { createRecentMap } from '../recent-map.js'

/** What never changes of a session, and proves its refresh tokens. */
export interface SessionIdentity {
  readonly id: string
  readonly userId: string
  readonly salt: Buffer
}

/** Of some 250 bytes each. */
const mostKnown = 100_000

/**
 * Remembers sessions of which a genuine token was seen here, so that the next one is proved without a
 * look at the database. Whether a session still lives is not known here.
 */
export function createKnownSessions() {
  // A salt as text: a short Buffer may keep a pool of many alive.
  const entries = createRecentMap<{ readonly userId: string; readonly salt: string }>(mostKnown)

  return {
    add({ id, userId, salt }: SessionIdentity): void {
      entries.set(flat(id), { userId: flat(userId), salt: salt.toString('latin1') })
    },

    find(id: string): SessionIdentity | undefined {
      const entry = entries.get(id)
      return entry && { id, userId: entry.userId, salt: Buffer.from(entry.salt, 'latin1') }
    }
  }
}

/** A copy: an id that was put together is a tree of its parts, five times as large. */
const flat = (id: string): string => Buffer.from(id, 'latin1').toString('latin1')
