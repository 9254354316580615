import type { Clock } from '../clock.js'
import type { Database } from '../database/connection.js'
import { recordAudit } from './events.js'
import type { Origin } from './origin.js'

const windowMs = 60_000
const callersPerWindow = 100

/** Somebody known asked for what only administrators may do. */
export interface AdminRefusal {
  readonly userId: string
  readonly ip: string | null
  /** Method and pattern, such as `GET /api/admin/users/:id`. */
  readonly route: string
  readonly reason: 'no administrator' | 'no administrator any more' | 'disabled' | 'deleted'
}

export type RecordRefusal = (refusal: AdminRefusal) => Promise<void>

/**
 * Audits refusals without letting a flood of them fill the table: within a minute a node writes the
 * first one of a caller, and those of a hundred callers. The log has a line of each.
 */
export function createRefusals(parts: { database: Database; clock: Clock }): RecordRefusal {
  const { database, clock } = parts
  const callers = new Set<string>()
  let windowEndsMs = 0

  function isRecorded(userId: string, nowMs: number): boolean {
    if (nowMs >= windowEndsMs) {
      callers.clear()
      windowEndsMs = nowMs + windowMs
    }
    if (callers.has(userId) || callers.size >= callersPerWindow) return false
    callers.add(userId)
    return true
  }

  /** @throws DatabaseUnavailable */
  return async function record({ userId, ip, route, reason }) {
    const now = clock()
    if (!isRecorded(userId, now)) return
    const origin: Origin = { actor: { kind: 'user', id: userId }, ip }
    const event = {
      action: 'admin.refused',
      outcome: 'refused',
      origin,
      subject: { kind: 'route', id: route },
      userId,
      reason
    } as const
    await database.write((db) => recordAudit(db, event, new Date(now)))
  }
}
