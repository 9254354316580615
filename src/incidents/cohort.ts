import { and, eq, gt, gte, isNull, lt, lte, not, or, type SQL, sql } from 'drizzle-orm'
import { isOneOf } from '../database/one-of.js'
import { deployment, sessions, users } from '../database/schema.js'
import { isInRange } from './ip-range.js'
import type { CohortTarget, IncidentTarget } from './target.js'

/** Until when sessions must have been opened: by the clock of their node, or by the order of transactions. */
export interface Opening {
  readonly until: Date
  /** Clocks may differ by half a minute. Null for an incident of an earlier version. */
  readonly beforeXid: string | null
}

/** When it is judged which sessions are alive. */
export interface Moment {
  readonly now: Date
  /** Later ones belong to people who have logged in again; all there are count where it is not given. */
  readonly opened?: Opening | undefined
  /** What was not used since is refreshed no more. */
  readonly idleSince: Date
  /** What was used since may have an access token that is still good, whatever became of it. */
  readonly tokensSince: Date
}

/**
 * Which sessions a target means, the spared ones among them: a condition on sessions, joined with
 * their users and the deployment. One for the dry run and the run, so that both say the same.
 */
export function isMeant(target: IncidentTarget, moment: Moment): SQL {
  const condition = and(isAlive(moment), target.kind === 'cohort' ? fits(target) : undefined)
  if (condition === undefined) throw new TypeError('A target without a condition')
  return condition
}

/** Which of those are left out. */
export function isSpared({ spare = [], spareRole }: IncidentTarget): SQL {
  const spared = or(
    spare.length > 0 ? isOneOf(users.id, spare) : undefined,
    spareRole === undefined ? undefined : hasRole(spareRole)
  )
  return spared ?? sql`false`
}

/** Which sessions are hit. */
export function isHit(target: IncidentTarget, moment: Moment): SQL {
  return sql`(${isMeant(target, moment)}) and ${not(sql`(${isSpared(target)})`)}`
}

function isAlive({ now, opened, idleSince, tokensSince }: Moment): SQL | undefined {
  return and(
    isNull(sessions.revokedAt),
    eq(sessions.version, users.tokenVersion),
    eq(sessions.generation, deployment.generation),
    opened && wasOpened(opened),
    or(
      and(gt(sessions.expiresAt, now), gt(sessions.lastUsedAt, idleSince)),
      gt(sessions.lastUsedAt, tokensSince)
    )
  )
}

function wasOpened({ until, beforeXid }: Opening): SQL | undefined {
  return or(
    lte(sessions.createdAt, until),
    beforeXid === null
      ? undefined
      : // One of the future was restored from another cluster's dump.
        sql`(${sessions.openedXid} < ${beforeXid}::xid8
          and ${beforeXid}::xid8 < pg_snapshot_xmax(pg_current_snapshot()))`
  )
}

function fits(target: CohortTarget): SQL {
  const { role, createdBefore, createdAfter, lastUsedBefore, lastUsedAfter, ipRange, keyId } =
    target
  const condition = and(
    role === undefined ? undefined : hasRole(role),
    createdBefore === undefined ? undefined : lt(sessions.createdAt, new Date(createdBefore)),
    createdAfter === undefined ? undefined : gte(sessions.createdAt, new Date(createdAfter)),
    lastUsedBefore === undefined ? undefined : lt(sessions.lastUsedAt, new Date(lastUsedBefore)),
    lastUsedAfter === undefined ? undefined : gte(sessions.lastUsedAt, new Date(lastUsedAfter)),
    ipRange === undefined ? undefined : isInRange(sessions.ip, ipRange),
    keyId === undefined ? undefined : mayBeSignedBy(keyId)
  )
  // It would be everybody, by mistake.
  if (condition === undefined) throw new TypeError('A cohort needs at least one criterion')
  return condition
}

/** Of a session from before keys were noted it is not known, and a leaked key is no time to guess. */
const mayBeSignedBy = (keyId: string): SQL =>
  sql`(${keyId} = any(${sessions.keyIds}) or ${sessions.keyIds} = '{}')`

const hasRole = (role: string): SQL => sql`${role} = any(${users.roles})`
