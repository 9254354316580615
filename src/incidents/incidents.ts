import { setTimeout as pause } from 'node:timers/promises'
import { uuidv7 } from 'uuidv7'
import { findUserIds } from '../accounts/store.js'
import { type AuditAction, recordAudit } from '../audit/events.js'
import type { Origin } from '../audit/origin.js'
import type { Clock } from '../clock.js'
import type { Database, Queries } from '../database/connection.js'
import type { Passwords } from '../passwords/passwords.js'
import type { RevocationService } from '../revocation/revocation.js'
import { type Census, takeCensus } from './census.js'
import type { Moment, Opening } from './cohort.js'
import { endGeneration, maxSparedSessions, TooManySpared } from './everyone.js'
import { insist, isTemporary } from './insist.js'
import { countNodes, estimateLogins, type LoginEstimate } from './login-estimate.js'
import type { LoginSpread } from './login-spread.js'
import {
  claimIncident,
  findIncident,
  type Incident,
  insertIncident,
  listIncidents,
  listOrphans,
  spreadLogins,
  turnIncident
} from './store.js'
import type { IncidentTarget } from './target.js'
import { createWorker, type WorkerOptions } from './worker.js'

export interface IncidentOptions {
  readonly database: Database
  readonly revocation: WorkerOptions['revocation'] & Pick<RevocationService, 'record'>
  readonly passwords: Pick<Passwords, 'measure'>
  readonly idleTtlSeconds: number
  readonly accessTokenTtlSeconds: number
  /** What this process knows of the end of the spread; nothing for one that answers no logins. */
  readonly loginSpread?: LoginSpread | undefined
  readonly clock: Clock
  /** Sessions per transaction: 500. */
  readonly batchSize?: number
  /** A worker that was not heard of for so long may be replaced: 10 s. */
  readonly staleMs?: number
}

/** What a target would hit: sessions, accounts and spared sessions, and how long the logins would take. */
export interface Estimate extends LoginEstimate {
  readonly sessions: number
  readonly accounts: number
  readonly spared: number
}

export type Start =
  | { readonly kind: 'started'; readonly incident: Incident }
  /** With everyone: the sessions to be spared must be few. Nothing happened. */
  | { readonly kind: 'too many spared' }

export interface RunOptions {
  /** Called after every batch, and at the end. */
  readonly onProgress?: (incident: Incident) => void
  /** Leaves the rest to another process. */
  readonly signal?: AbortSignal
}

export type Incidents = ReturnType<typeof createIncidents>

/** The start does not wait longer for the count. */
const censusMs = 1_000
/** A token may be a little older than its session's last use says, by the clocks and the grace. */
const tokenAllowanceMs = 90_000
const maxSpreadSeconds = 15 * 60
const watchMs = 250
const listed = 100

/**
 * The incident switch: logs out everybody or a cohort, in batches that are safe to stop and to resume,
 * by whichever process, and knows when that is true everywhere. Targets come from `parseTarget`.
 */
export function createIncidents(options: IncidentOptions) {
  const { database, revocation, passwords, loginSpread, clock } = options
  const { idleTtlSeconds, accessTokenTtlSeconds, batchSize = 500, staleMs = 10_000 } = options
  const work = createWorker({ database, revocation, momentOf, clock, batchSize })

  function momentOf(opened?: Opening): Moment {
    const now = clock()
    return {
      now: new Date(now),
      opened,
      idleSince: new Date(now - idleTtlSeconds * 1_000),
      tokensSince: new Date(now - accessTokenTtlSeconds * 1_000 - tokenAllowanceMs)
    }
  }

  async function estimateFor(accounts: number): Promise<LoginEstimate> {
    const [speed, nodeCount] = await Promise.all([passwords.measure(), database.read(countNodes)])
    return estimateLogins(accounts, speed, nodeCount)
  }

  async function count(target: IncidentTarget, withinMs?: number) {
    return await takeCensus(database, target, { moment: momentOf(), withinMs })
  }

  /** Whom it hits must not get away because they can't be counted. */
  async function countInTime(target: IncidentTarget): Promise<Census> {
    try {
      return await count(target, censusMs)
    } catch (error) {
      if (!isTemporary(error)) throw error
      return { sessions: 0, accounts: 0, spared: 0, isComplete: false }
    }
  }

  async function audit(
    tx: Queries,
    action: AuditAction,
    { incident, origin }: { readonly incident: Incident; readonly origin: Origin }
  ): Promise<void> {
    const { id, target, reason, sessionsExpected, sessionsRevoked } = incident
    const details =
      action === 'incident.started' ? { target, sessionsExpected } : { sessionsRevoked }
    const subject = { kind: 'incident', id }
    const event = { action, origin, subject, userId: null, reason, details } as const
    await recordAudit(tx, { ...event, outcome: 'success' }, new Date(clock()))
  }

  async function find(id: string): Promise<Incident | undefined> {
    return await database.read((db) => findIncident(db, id))
  }

  /** As it is afterwards, changed or not; undefined where there is no such incident. */
  async function turn(id: string, to: 'stopped' | 'running', origin: Origin) {
    const turned = await database.transaction(async (tx) => {
      const incident = await turnIncident(tx, id, to)
      const action = to === 'stopped' ? 'incident.stopped' : 'incident.resumed'
      if (incident !== undefined) await audit(tx, action, { incident, origin })
      return incident
    })
    return turned ?? (await find(id))
  }

  return {
    find,

    /** The newest first. */
    async list(): Promise<Incident[]> {
      return await database.read((db) => listIncidents(db, listed))
    },

    /** Which accounts that are to be spared don't exist: a slip would log out the one that was meant. */
    async unknownSpared({ spare = [] }: IncidentTarget): Promise<string[]> {
      if (spare.length === 0) return []
      const known = new Set(await database.read((db) => findUserIds(db, spare)))
      return spare.filter((id) => !known.has(id))
    },

    /** Whether so many sessions would be spared that `start` would refuse it. */
    sparesTooMany: ({ kind }: IncidentTarget, { spared }: Estimate): boolean =>
      kind === 'everyone' && spared > maxSparedSessions,

    /** Counts whom a target would hit now, and changes nothing. */
    async estimate(target: IncidentTarget): Promise<Estimate> {
      const { sessions, accounts, spared } = await count(target)
      return { sessions, accounts, spared, ...(await estimateFor(accounts)) }
    },

    /**
     * Starts an incident. Of everyone, the death of every token and session is recorded with it, and
     * `run` spreads it and finds out when it is true everywhere; of a cohort, `run` does it all.
     */
    async start({
      id = uuidv7(),
      target,
      reason,
      origin
    }: {
      /** A UUIDv7 of the caller's, so that it can look whether a start took place of which no answer came. */
      readonly id?: string
      readonly target: IncidentTarget
      readonly reason: string
      readonly origin: Origin
    }): Promise<Start> {
      const { sessions, accounts, isComplete } = await countInTime(target)
      const { estimatedLoginSeconds } = await estimateFor(accounts)
      const spreadSeconds = isComplete
        ? Math.min(estimatedLoginSeconds, maxSpreadSeconds)
        : maxSpreadSeconds
      try {
        const { incident, until } = await database.transaction(async (tx) => {
          const moment = momentOf()
          const until = new Date(moment.now.getTime() + spreadSeconds * 1_000)
          const isEveryone = target.kind === 'everyone'
          if (isEveryone) {
            const level = await endGeneration(tx, target, moment)
            const order = { id, kind: 'everyone', target: null, level } as const
            await revocation.record(tx, order, { reason, origin })
          }
          const incident = await insertIncident(tx, {
            id,
            target,
            reason,
            actor: origin.actor,
            startedAt: moment.now,
            sessionsExpected: sessions,
            sessionsRevoked: isEveryone ? sessions : 0
          })
          await spreadLogins(tx, until)
          await audit(tx, 'incident.started', { incident, origin })
          return { incident, until }
        })
        loginSpread?.note(until)
        return { kind: 'started', incident }
      } catch (error) {
        if (error instanceof TooManySpared) return { kind: 'too many spared' }
        throw error
      }
    },

    /**
     * Works on an incident in this process until it is finished or stopped, or the signal is aborted.
     * While another process works on it, this one watches, and takes over when that falls silent. While
     * Postgres is away it tries again.
     *
     * @returns the incident as it is then; undefined where there is none
     * @throws DatabaseUnavailable where the signal is aborted while Postgres is away
     */
    async run(
      id: string,
      { onProgress = () => undefined, signal = new AbortController().signal }: RunOptions = {}
    ): Promise<Incident | undefined> {
      const claim = { id, workerId: uuidv7() }
      for (;;) {
        const claimed = signal.aborted
          ? undefined
          : await insist(signal, () => database.write((db) => claimIncident(db, claim, staleMs)))
        if (claimed !== undefined) await work(claimed, { claim, signal, onProgress })
        const incident = await insist(signal, () => find(id))
        if (incident?.status !== 'running' || signal.aborted) return incident
        onProgress(incident)
        await pause(watchMs, undefined, { signal }).catch(() => undefined)
      }
    },

    /** What was revoked stays revoked. @returns the incident; undefined where there is none */
    async stop(id: string, origin: Origin): Promise<Incident | undefined> {
      return await turn(id, 'stopped', origin)
    },

    /** Lets a stopped one go on; `run` it. @returns the incident; undefined where there is none */
    async resume(id: string, origin: Origin): Promise<Incident | undefined> {
      return await turn(id, 'running', origin)
    },

    /** Running incidents whose worker fell silent. */
    async orphans(): Promise<string[]> {
      return await database.read((db) => listOrphans(db, staleMs))
    }
  }
}
