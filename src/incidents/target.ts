import { parseIpRange } from './ip-range.js'
import { uuidPattern } from '../uuid.js'

/** Accounts whose sessions go on. With everyone, their access tokens die and are refreshed. */
export interface Spared {
  /** Ids of accounts. */
  readonly spare?: readonly string[]
  /** Every account with this role. */
  readonly spareRole?: 'service'
}

export interface EveryoneTarget extends Spared {
  readonly kind: 'everyone'
}

/** Which sessions are meant: those for which all of it is true. Times in ISO 8601. */
export interface Criteria {
  /** Of accounts that have this role now. */
  readonly role?: string
  readonly createdBefore?: string
  readonly createdAfter?: string
  /** Opened, or refreshed for the last time. */
  readonly lastUsedBefore?: string
  readonly lastUsedAfter?: string
  /** Opened from an address in this CIDR range. */
  readonly ipRange?: string
  /** An access token of it was signed by the key with this `kid`, or it isn't known by which. */
  readonly keyId?: string
}

export interface CohortTarget extends Spared, Criteria {
  readonly kind: 'cohort'
}

/** Whom an incident hits. Made by {@link parseTarget}. */
export type IncidentTarget = EveryoneTarget | CohortTarget

export type ParsedTarget =
  | { readonly kind: 'valid'; readonly target: IncidentTarget }
  /** The reason is a sentence for whoever wrote the field. */
  | { readonly kind: 'invalid'; readonly field: string; readonly reason: string }

/** The list has to fit into a request. */
export const maxSpared = 300
const longestText = 200
const times = ['createdBefore', 'createdAfter', 'lastUsedBefore', 'lastUsedAfter'] as const
const criteria = ['role', ...times, 'ipRange', 'keyId'] as const

/** Checks what an operator asks for, and puts times and ranges into one form. */
export function parseTarget(target: IncidentTarget): ParsedTarget {
  const { spare = [] } = target
  if (spare.length > maxSpared) return invalid('spare', `Spare at most ${maxSpared} accounts.`)
  if (!spare.every((id) => uuidPattern.test(id))) {
    return invalid('spare', 'Name accounts by their ids, in lower case.')
  }
  return target.kind === 'everyone' ? { kind: 'valid', target } : parseCohort(target)
}

function parseCohort(target: CohortTarget): ParsedTarget {
  if (criteria.every((name) => target[name] === undefined)) {
    return invalid('kind', 'A cohort needs at least one criterion.')
  }
  for (const name of ['role', 'keyId'] as const) {
    const text = target[name]
    if (text !== undefined && (text === '' || text.length > longestText || text.includes('\0'))) {
      return invalid(name, `Give 1 to ${longestText} characters.`)
    }
  }
  const instants: Partial<Record<(typeof times)[number], string>> = {}
  for (const name of times) {
    const text = target[name]
    if (text === undefined) continue
    const instant = parseInstant(text)
    if (instant === undefined) return invalid(name, 'Give a time in ISO 8601.')
    instants[name] = instant
  }
  if (target.ipRange === undefined) return { kind: 'valid', target: { ...target, ...instants } }
  const ipRange = parseIpRange(target.ipRange)
  if (ipRange === undefined)
    return invalid('ipRange', 'Give an address or a range in CIDR notation.')
  return { kind: 'valid', target: { ...target, ...instants, ipRange } }
}

/** In UTC. Of four digits of the year, which is what Postgres reads as well. */
function parseInstant(text: string): string | undefined {
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  const instant = Number.isNaN(ms) ? undefined : new Date(ms).toISOString()
  return instant?.length === 24 && !instant.startsWith('0000') ? instant : undefined
}

function invalid(field: string, reason: string): ParsedTarget {
  return { kind: 'invalid', field, reason }
}
