import type { Receipt } from './announcer.js'
import type { Conviction } from './conviction.js'
import type { Publication } from './deny-list.js'
import type { Standing } from './standing.js'
import type { Revocation } from './store.js'

export type Revocations = readonly [Revocation, ...Revocation[]]

/** Revocations that are announced together, with what was found out so far. */
export interface Course {
  readonly revocations: Revocations
  readonly ids: readonly string[]
  /** The transactions that recorded them. */
  readonly xids: readonly string[]
  readonly last: Revocation
  readonly startedAt: number
  standing: Standing | undefined
  standingReadAt: number
  /** Where all of them are published, and since when that is known. */
  publication: (Publication & { readonly at: number }) | undefined
  readonly appliedAfterMs: Map<string, number>
  /** The nodes of which the last attempt learnt nothing. */
  waitingFor: readonly string[]
  /** Why the last attempt could not tell. */
  failure: unknown
}

export function createCourse(revocations: Revocations): Course {
  return {
    revocations,
    ids: revocations.map(({ id }) => id),
    xids: [...new Set(revocations.map(({ xid }) => xid))],
    last: revocations.at(-1) ?? revocations[0],
    startedAt: performance.now(),
    standing: undefined,
    standingReadAt: 0,
    publication: undefined,
    appliedAfterMs: new Map(),
    waitingFor: [],
    failure: undefined
  }
}

export function isHeldIn({ publication }: Course, dataSet: string | null): boolean {
  return publication !== undefined && publication.dataSet === dataSet
}

export function receiptOf(
  { last, appliedAfterMs }: Course,
  found: {
    readonly acknowledgedAtMs: number
    readonly guarantee: Conviction
    readonly nodes: readonly { readonly id: string; readonly conviction: Conviction | undefined }[]
  }
): Receipt {
  return {
    revocationId: last.id,
    acknowledgedAt: new Date(found.acknowledgedAtMs).toISOString(),
    guarantee: found.guarantee,
    nodes: found.nodes.flatMap(({ id, conviction: how }) => {
      if (how === undefined) return []
      return [
        { id, how, appliedAfterMs: how === 'applied' ? (appliedAfterMs.get(id) ?? null) : null }
      ]
    })
  }
}
