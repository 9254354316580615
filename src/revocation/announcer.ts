import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../clock.js'
import type { Database, Queries } from '../database/connection.js'
import type { DenyList } from './deny-list.js'
import { readStanding, type Standing, type StandingNode } from './standing.js'
import { markConfirmed, markPublished, type Revocation, toEvent } from './store.js'

/**
 * What is known of a node: it reads the deny-list that holds the entry, its lease is over, or it
 * asks Postgres for every request.
 */
type Conviction = 'applied' | 'lease-expired' | 'database'

/** How it is known that no node still accepts what was revoked. Times in milliseconds. */
export interface Receipt {
  readonly revocationId: string
  readonly acknowledgedAt: string
  /** The weakest of what convinced for each node. */
  readonly guarantee: Conviction
  /** The time is null where the node applied nothing, as it asks Postgres or is silent. */
  readonly nodes: { readonly id: string; readonly appliedAfterMs: number | null }[]
}

/** The revocation is recorded and will take effect; that it already has everywhere is not known. */
export class RevocationUnconfirmed extends Error {
  override name = 'RevocationUnconfirmed'
  readonly revocationId: string

  constructor(revocationId: string, options?: ErrorOptions) {
    super('The revocation is recorded and not yet confirmed', options)
    this.revocationId = revocationId
  }
}

const retryMs = 50

/**
 * Spreads a recorded revocation and finds out when it is true everywhere. Where it stands is read
 * after the commit: a node that begins to decide later publishes what was recorded before.
 */
export function createAnnouncer(options: {
  database: Database
  denyList: DenyList | undefined
  deadlineMs: number
  clock: Clock
  /** Called when the deny-list that counts did not take a revocation. */
  onUnpublished: () => void
}) {
  const { database, denyList, deadlineMs, clock, onUnpublished } = options

  /** @returns the data set that holds it now, if it is known. */
  async function publish(revocation: Revocation): Promise<string | undefined> {
    return await denyList?.publish([toEvent(revocation)]).catch(() => undefined)
  }

  /** Notes what nobody waits for: without it, something harmless is done once more. */
  function note(write: (db: Queries, now: Date) => Promise<unknown>): void {
    database.write((db) => write(db, new Date(clock()))).catch(() => undefined)
  }

  /** Whether the deny-list that counts holds it. */
  function isPublished(revocation: Revocation, standing: Standing, publishedIn?: string): boolean {
    if (standing.isPublished) return true
    const isHeld = publishedIn !== undefined && publishedIn === standing.currentDataSet
    if (isHeld) {
      note((db, now) => markPublished(db, [revocation.id], { dataSet: publishedIn, now }))
    } else onUnpublished()
    return isHeld
  }

  /** One attempt to learn that the revocation holds everywhere. */
  async function confirm(revocation: Revocation, startedAt: number): Promise<Receipt | undefined> {
    const [standing, publishedIn] = await Promise.all([
      database.read((db) => readStanding(db, revocation.id)),
      publish(revocation)
    ])
    const published = isPublished(revocation, standing, publishedIn)
    const nodes = standing.nodes.map(({ id, ...node }) => ({
      id,
      conviction: convictionOf(node, standing, published)
    }))
    const guarantee = weakestOf(nodes.map(({ conviction }) => conviction))
    if (guarantee === undefined) return undefined
    note((db, now) => markConfirmed(db, revocation.id, now))
    const tookMs = Math.round(performance.now() - startedAt)
    return {
      revocationId: revocation.id,
      acknowledgedAt: new Date(clock()).toISOString(),
      guarantee,
      nodes: nodes.map(({ id, conviction }) => ({
        id,
        appliedAfterMs: conviction === 'applied' ? tookMs : null
      }))
    }
  }

  /**
   * Resolves once no node accepts what is revoked any more.
   *
   * @throws RevocationUnconfirmed when that is not known within the deadline
   */
  return async function announce(revocation: Revocation): Promise<Receipt> {
    const startedAt = performance.now()
    let failure: unknown
    do {
      try {
        const receipt = await confirm(revocation, startedAt)
        if (receipt !== undefined) return receipt
      } catch (error) {
        failure = error
      }
      await pause(retryMs)
    } while (performance.now() - startedAt < deadlineMs)
    throw new RevocationUnconfirmed(revocation.id, { cause: failure })
  }
}

/**
 * Why a node can't accept any more what was revoked; undefined where that is not known. One that
 * asks Postgres never could. One that decides from Redis does so from the data set that counts, or
 * not for longer than its lease; whatever it begins with later it first completes.
 */
function convictionOf(
  node: Omit<StandingNode, 'id'>,
  standing: Standing,
  isPublished: boolean
): Conviction | undefined {
  if (node.mode === 'database') return 'database'
  const readsCurrent = node.dataSet === null || node.dataSet === standing.currentDataSet
  if (isPublished && readsCurrent) return 'applied'
  return node.isLapsed ? 'lease-expired' : undefined
}

/** Undefined where one of them is. */
function weakestOf(convictions: readonly (Conviction | undefined)[]): Conviction | undefined {
  if (convictions.includes(undefined)) return undefined
  if (convictions.includes('lease-expired')) return 'lease-expired'
  return convictions.includes('applied') ? 'applied' : 'database'
}
