import type { Clock } from '../clock.js'
import { coalesce } from '../database/coalesce.js'
import type { Database } from '../database/connection.js'
import {
  advanceCounter,
  advanceFreeCounters,
  type AdvancedSession,
  type Step
} from './refresh-store.js'
import { findSessions, type SessionFacts } from './store.js'

/** So many connections at most wait for rows that others hold, lest they keep all others waiting. */
const waitingAtOnce = 4
/** As long as one of them may wait. */
const waitingMs = 1_500

export interface RefreshStatementOptions {
  readonly database: Database
  readonly activeKeyId: () => string
  readonly idleMs: number
  readonly clock: Clock
}

export interface RefreshStatements {
  readonly find: (sessionId: string) => Promise<SessionFacts | undefined>
  /** As `advance`, but undefined also where another transaction holds the session's row. */
  readonly advanceFree: (step: Step) => Promise<AdvancedSession | undefined>
  /** Moves a session's counter on by one; undefined for all but one of those who ask for the same. */
  readonly advance: (step: Step) => Promise<AdvancedSession | undefined>
}

/** What a refresh asks the database: one statement for all refreshes that come at the same time. */
export function createRefreshStatements(options: RefreshStatementOptions): RefreshStatements {
  const { database, activeKeyId, idleMs, clock } = options

  function context() {
    const now = clock()
    return { now: new Date(now), idleSince: new Date(now - idleMs), keyId: activeKeyId() }
  }

  const find = coalesce((ids: readonly string[]) => database.read((db) => findSessions(db, ids)))

  // One after the other, as long as they are quick: what comes during a commit shares the next one,
  // which costs a disk the same.
  const moveTogether = coalesce(
    async (steps: readonly Step[]) => {
      const first = new Map(steps.toReversed().map((step) => [step.id, step]))
      const moved = await database.write((db) =>
        advanceFreeCounters(db, [...first.values()], context())
      )
      return steps.map((step) => (first.get(step.id) === step ? moved.get(step.id) : undefined))
    },
    { lanes: 1 }
  )

  const moveHeld = coalesce(
    (steps: readonly Step[]) =>
      Promise.all(steps.map((step) => database.write((db) => advanceCounter(db, step, context())))),
    { lanes: waitingAtOnce, most: 1, patienceMs: waitingMs }
  )

  /** A step of its own for each call: of those who ask for the same, one has moved the session on. */
  const advanceFree = (step: Step) => moveTogether({ ...step })

  return {
    find,
    advanceFree,
    advance: async (step) => (await advanceFree(step)) ?? (await moveHeld(step))
  }
}
