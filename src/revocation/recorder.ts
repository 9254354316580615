import type { AuditEvent } from '../audit/events.js'
import type { Origin } from '../audit/origin.js'
import type { Clock } from '../clock.js'
import type { Database, Queries } from '../database/connection.js'
import type { RevocationKind } from './decision.js'
import { type Change, recordChange } from './recorded-change.js'
import {
  type NewRevocation,
  recordRevocation,
  recordRevocations,
  type Revocation
} from './store.js'

/** Who asks for a revocation, and why. Without an origin nothing is audited: the service checks itself. */
export interface Cause {
  readonly reason: string
  readonly origin: Origin | null
}

/** What is to be revoked. `userId` says whose session it is, for the audit. */
export interface RevocationOrder {
  readonly kind: RevocationKind
  readonly target: string | null
  readonly level: number | null
  readonly liveUntil?: Date
  readonly userId?: string
  /** The id that the revocation shall have; a new one where none is given. */
  readonly id?: string
}

export interface RecorderOptions {
  readonly database: Database
  /** How long a token may be accepted after its revocation was recorded, in milliseconds. */
  readonly longestLifeMs: number
  readonly clock: Clock
}

/** Writes down what is revoked, and what is audited of it. Nobody hears of it from here. */
export function createRecorder({ database, longestLifeMs, clock }: RecorderOptions) {
  /**
   * Writes the durable row, and what is audited, inside the transaction that makes the change.
   * Announce it after the commit.
   */
  async function record(tx: Queries, order: RevocationOrder, cause: Cause): Promise<Revocation> {
    return await recordRevocation(tx, entryOf(order, cause, clock()), auditOf(order, cause))
  }

  /**
   * The same in one statement with the change, which tells whose session it was and the new level.
   * Announce it afterwards.
   *
   * @param found what led to it, to be audited as well
   * @returns undefined where there was nothing to change
   */
  async function change(
    what: Change,
    order: Pick<RevocationOrder, 'kind' | 'target'>,
    cause: Cause,
    found?: AuditEvent
  ): Promise<Revocation | undefined> {
    const full = { ...order, level: null }
    const entry = entryOf(full, cause, clock())
    const events = [found, auditOf(full, cause)].filter((event) => event != null)
    return await database.write((db) => recordChange(db, what, entry, events))
  }

  /** As `record` for many at once, which share the transaction. */
  async function recordAll(
    tx: Queries,
    orders: readonly RevocationOrder[],
    cause: Cause
  ): Promise<Revocation[]> {
    const now = clock()
    const entries = orders.map((order) => entryOf(order, cause, now))
    const events = orders.map((order) => auditOf(order, cause)).filter((event) => event !== null)
    return await recordRevocations(tx, entries, events, new Date(now))
  }

  function entryOf(order: RevocationOrder, { reason, origin }: Cause, now: number): NewRevocation {
    const actor = origin?.actor
    return {
      liveUntil: new Date(now + longestLifeMs),
      ...order,
      reason,
      actorId: actor?.kind === 'user' ? actor.id : null,
      createdAt: new Date(now)
    }
  }

  return { record, change, recordAll }
}

function auditOf(order: RevocationOrder, { reason, origin }: Cause): AuditEvent | null {
  if (origin === null) return null
  const { kind, target, userId } = order
  return {
    action: `${kind}.revoked`,
    outcome: 'success',
    origin,
    subject: target === null ? null : { kind, id: target },
    userId: kind === 'user' ? target : (userId ?? null),
    reason
  }
}
