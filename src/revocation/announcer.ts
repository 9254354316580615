import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type { Clock } from '../clock.js'
import type { Database, Queries } from '../database/connection.js'
import { type Conviction, convictionOf, type Evidence, weakestOf } from './conviction.js'
import { type Course, createCourse, isHeldIn, receiptOf, type Revocations } from './course.js'
import type { DenyList } from './deny-list.js'
import { createFollowersWatch } from './followers-watch.js'
import type { RevocationObserver } from './observer.js'
import { revocationsChannel } from './postgres-feed.js'
import { createSharedRead } from './shared-read.js'
import { readStanding, type Standing } from './standing.js'
import type { RevocationEvent } from './state.js'
import { arePublished, eventOf, markConfirmed, markPublished } from './store.js'

/** How it is known that no node still accepts what was revoked. Times in milliseconds. */
export interface Receipt {
  readonly revocationId: string
  readonly acknowledgedAt: string
  /** The weakest of what convinced for each node. */
  readonly guarantee: Conviction
  readonly nodes: NodeReceipt[]
}

/** The time is null where the node applied nothing, as it asks Postgres or is silent. */
export interface NodeReceipt {
  readonly id: string
  readonly how: Conviction
  readonly appliedAfterMs: number | null
}

/** The revocation is recorded and will take effect; that it already has everywhere is not known. */
export class RevocationUnconfirmed extends Error {
  override name = 'RevocationUnconfirmed'
  readonly revocationId: string
  /** The nodes that may still accept what was revoked; empty where nobody could be asked. */
  readonly waitingFor: readonly string[]

  constructor(revocationId: string, waitingFor: readonly string[], options?: ErrorOptions) {
    super('The revocation is recorded and not yet confirmed', options)
    this.revocationId = revocationId
    this.waitingFor = waitingFor
  }
}

/** Followers need about a millisecond; whoever is late may be away. */
const shortPauseMs = 1
const longPauseMs = 10
const patienceMs = 100
/** The rows of the nodes are read again after so long, where Redis is what they confirm in. */
const standingLifeMs = 50

export interface AnnouncerOptions {
  readonly nodeId: string
  readonly database: Database
  readonly denyList: DenyList | undefined
  readonly deadlineMs: number
  readonly failoverFenceMs: number
  readonly clock: Clock
  /** Lets this node itself apply a revocation. */
  readonly apply: (event: RevocationEvent) => void
  /** Called when the deny-list that counts did not take a revocation. */
  readonly onUnpublished: () => void
  readonly observer: RevocationObserver
}

/**
 * Spreads recorded revocations and finds out when they are true everywhere. Where they stand is read
 * after the commit: a node that begins to decide later reads what was recorded before.
 */
export function createAnnouncer(options: AnnouncerOptions) {
  const { nodeId, database, denyList, deadlineMs, failoverFenceMs, clock, observer } = options
  const readSharedStanding = createSharedRead(readStandingAnew)
  const readFollowers = denyList && createFollowersWatch(denyList)

  /** Since when the data set that counts is known to. */
  let current: { readonly dataSet: string | null; readonly since: number } | undefined

  async function readStandingAnew(): Promise<Standing> {
    const standing = await database.read(readStanding)
    const dataSet = standing.currentDataSet
    if (current?.dataSet !== dataSet) current = { dataSet, since: performance.now() }
    return standing
  }

  /** Notes what nobody waits for: without it, something harmless is done once more. */
  function note(write: (db: Queries, now: Date) => Promise<unknown>): void {
    database.write((db) => write(db, new Date(clock()))).catch(() => undefined)
  }

  /**
   * Whether a logout everywhere may be repeated with a token that died of it depends on this note, so
   * that it should be there when the answer is. But nobody is kept waiting for it beyond the deadline:
   * without it, such a token can only repeat what is done.
   */
  async function noteConfirmed({ ids, revocations }: Course, late: Promise<void>): Promise<void> {
    const noted = database.write((db) => markConfirmed(db, ids, new Date(clock())))
    const settled = noted.catch(() => undefined)
    if (revocations.some(({ kind }) => kind === 'user')) await Promise.race([settled, late])
  }

  /** Into the deny-list, or, without one, a word to those who follow Postgres. */
  async function publish(revocations: Revocations): Promise<Course['publication']> {
    if (denyList === undefined) {
      await database.write((db) => db.execute(sql`select pg_notify(${revocationsChannel}, '')`))
      return undefined
    }
    const publication = await denyList.publish(revocations.map(eventOf))
    return publication && { ...publication, at: performance.now() }
  }

  /** What another node may have done in our place, when this one can't reach Redis. */
  async function findPublication(
    ids: readonly string[],
    dataSet: string
  ): Promise<Course['publication']> {
    const isDone = await database.read((db) => arePublished(db, ids))
    return isDone ? { dataSet, place: undefined, at: performance.now() } : undefined
  }

  /** Reads where everybody stands, and publishes unless the data set that counts holds them already. */
  async function advance(course: Course): Promise<Standing> {
    const { revocations, standing: known } = course
    const isUnpublished = known === undefined || !isHeldIn(course, known.currentDataSet)
    const publishes = isUnpublished && (denyList !== undefined || known === undefined)
    course.standingReadAt = performance.now()
    const [standing, publication] = await Promise.all([
      readSharedStanding(),
      publishes ? publish(revocations).catch(() => undefined) : undefined
    ])
    course.standing = standing
    course.publication = publication ?? course.publication
    if (isUnpublished) await settle(course, standing)
    return standing
  }

  async function settle(course: Course, { currentDataSet, nodes }: Standing): Promise<void> {
    if (currentDataSet === null) return
    const { ids } = course
    if (isHeldIn(course, currentDataSet)) {
      note((db, now) => markPublished(db, ids, { dataSet: currentDataSet, now }))
      return
    }
    if (denyList !== undefined) options.onUnpublished()
    if (nodes.some(({ dataSet }) => dataSet !== null)) {
      course.publication = await findPublication(ids, currentDataSet)
    }
  }

  /** With a deny-list, the rows change rarely; without one, they are where nodes confirm. */
  function isFresh({ standingReadAt }: Course): boolean {
    return denyList !== undefined && performance.now() - standingReadAt < standingLifeMs
  }

  async function evidenceOf(course: Course, standing: Standing): Promise<Evidence> {
    const { currentDataSet, nodes } = standing
    const publication = isHeldIn(course, currentDataSet) ? course.publication : undefined
    const hasFollowers = nodes.some(({ mode, id }) => mode === 'replica' && id !== nodeId)
    const report =
      publication && hasFollowers ? await readFollowers?.().catch(() => undefined) : undefined
    const now = performance.now()
    return {
      ownId: nodeId,
      xids: course.xids,
      committedForMs: now - course.startedAt,
      currentDataSet,
      currentForMs: current?.dataSet === currentDataSet ? now - current.since : 0,
      published: publication && { place: publication.place, forMs: now - publication.at },
      failoverFenceMs,
      follower: (id) => (report?.dataSet === currentDataSet ? report?.of(id) : undefined)
    }
  }

  /** One attempt to learn that it holds everywhere. */
  async function confirm(course: Course): Promise<Receipt | undefined> {
    const { standing: known, appliedAfterMs } = course
    const standing = known !== undefined && isFresh(course) ? known : await advance(course)
    const evidence = await evidenceOf(course, standing)
    const tookMs = Math.round(performance.now() - course.startedAt)
    const nodes = standing.nodes.map((node) => {
      const conviction = convictionOf(node, evidence)
      if (conviction === 'applied' && !appliedAfterMs.has(node.id)) {
        appliedAfterMs.set(node.id, tookMs)
      }
      return { id: node.id, conviction }
    })
    const guarantee = weakestOf(nodes.map(({ conviction }) => conviction))
    course.waitingFor = nodes.flatMap(({ id, conviction }) => (conviction ? [] : [id]))
    return guarantee && receiptOf(course, { acknowledgedAtMs: clock(), guarantee, nodes })
  }

  /** Tries until it is confirmed, or nobody waits any more. */
  async function confirmUntil(deadline: AbortSignal, course: Course): Promise<Receipt | undefined> {
    while (!deadline.aborted) {
      const receipt = await confirm(course).catch((error: unknown) => {
        course.failure = error
        return undefined
      })
      if (receipt !== undefined) return receipt
      const elapsedMs = performance.now() - course.startedAt
      await pause(elapsedMs < patienceMs ? shortPauseMs : longPauseMs)
    }
    return undefined
  }

  /**
   * Resolves once no node accepts any more what is revoked. All of it is published at once; the receipt
   * names the last one.
   *
   * @throws RevocationUnconfirmed when that is not known within the deadline
   */
  return async function announce(...revocations: Revocations): Promise<Receipt> {
    const course = createCourse(revocations)
    const { kind } = course.last
    for (const revocation of revocations) options.apply(eventOf(revocation))
    const deadline = new AbortController()
    const timer = new AbortController()
    // An attempt may take longer than is left; the answer does not.
    const late = pause(deadlineMs, undefined, { signal: timer.signal }).catch(() => undefined)
    const receipt = await Promise.race([confirmUntil(deadline.signal, course), late])
    deadline.abort()
    if (receipt === undefined) {
      observer.unconfirmed(kind)
      throw new RevocationUnconfirmed(course.last.id, course.waitingFor, { cause: course.failure })
    }
    await noteConfirmed(course, late)
    timer.abort()
    observer.confirmed(kind, receipt.guarantee, performance.now() - course.startedAt)
    return receipt
  }
}
