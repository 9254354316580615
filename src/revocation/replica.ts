import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../clock.js'
import { every } from '../every.js'
import type { Feed, Subscription } from './feed.js'
import type { CoveredClaims, Verdict } from './decision.js'
import { createLease } from './lease.js'
import { createRememberedDecision } from './remembered-decision.js'
import type { NodeStatus } from './local-node.js'
import type { Log } from './log.js'
import type { Horizon } from './log-page.js'
import type { NodeMode, NodeState } from './nodes.js'
import type { Registry } from './registry.js'
import { type RevocationEvent, RevocationState } from './state.js'
import { readNews } from './truth.js'

const retryMs = 200
const beatMs = 1_000
/** How long a start waits for something to follow, and how soon it looks again. */
const startMs = 1_000
const startRetryMs = 50
/** Below the ten seconds that Fastify gives a plugin: a million revocations may take longer to read. */
const longestStartMs = 5_000

export type Replica = ReturnType<typeof createReplica>

export interface ReplicaOptions {
  readonly nodeId: string
  /** On whose credentials this node registered; null for a node of the service itself. */
  readonly clientId: string | null
  readonly feed: Feed
  readonly registry: Registry
  /** How long this node may decide after a read of the feed was sent, in milliseconds. */
  readonly leaseMs: number
  readonly clock: Clock
  readonly log: Log
  /** Called whenever the node begins or ceases to decide from memory. */
  readonly onTurn?: (decides: boolean) => void
}

/**
 * The live revocations in this node's memory, kept fresh by a feed, and the right to decide from
 * them: a lease that every read of the feed renews. A node that is frozen, cut off or behind finds
 * its lease over, says in its row that it decides from the database, and comes back by declaring
 * itself first, reading what it missed, and following the feed from before that.
 */
export function createReplica(options: ReplicaOptions) {
  const { nodeId, clientId, feed, registry, leaseMs, clock, log, onTurn } = options
  const state = new RevocationState()
  const decideFromMemory = createRememberedDecision(state)
  const lease = createLease({ lifeMs: leaseMs, clock })
  const rowLease = createLease({ lifeMs: feed.rowLifeMs, clock })
  const stopping = new AbortController()
  let horizon: Horizon | undefined
  let dataSet: string | null = null
  let epoch = 0
  /** What the row is known to say; undefined while that is unknown. */
  let declared: NodeMode | undefined
  let subscription: Subscription | undefined
  let follows = false
  let complaint: string | undefined
  let living: Promise<void> = Promise.resolve()
  const background: { stop(): Promise<void> }[] = []

  function apply(events: readonly RevocationEvent[]): void {
    for (const event of events) state.apply(event)
  }

  /** Reads from the log what this replica has not seen. @returns the data set that counts */
  async function catchUp(): Promise<string | null> {
    let current: string | null = null
    let seen = horizon
    for await (const news of readNews(registry.readLog, horizon)) {
      apply(news.events)
      current = news.dataSet
      seen = news.horizon
    }
    horizon = seen
    return current
  }

  async function declare(mode: NodeMode, from: string | null): Promise<void> {
    const sentAt = rowLease.now()
    declared = undefined
    epoch += 1
    const node: NodeState = { id: nodeId, clientId, leaseMs, mode, dataSet: from, epoch }
    await registry.declare(node)
    declared = mode
    rowLease.renew(sentAt)
  }

  /** Writes a sign of life, and finds out whether this node still is what it takes itself for. */
  async function confirm(): Promise<void> {
    const sentAt = rowLease.now()
    const asked = epoch
    const sighting = await registry.confirm({ id: nodeId, epoch }, horizon)
    // An answer to what was true before the last declaration says nothing.
    if (asked !== epoch || declared === undefined) return
    if (sighting === undefined) {
      declared = undefined
      lose('The row of this node is gone')
    } else if (declared === 'replica' && dataSet !== null && sighting.current !== dataSet) {
      lose('Another data set in Redis counts by now')
    } else rowLease.renew(sentAt)
  }

  /** Ends the present life, or the one that is about to begin. */
  function lose(reason: string): void {
    cease(reason)
    subscription?.end()
    subscription = undefined
  }

  function cease(reason: string): void {
    if (follows) onTurn?.(false)
    follows = false
    if (complaint !== reason) {
      log.warn({ event: 'replica.away', reason }, `${reason}: deciding from Postgres`)
    }
    complaint = reason
  }

  /** @returns undefined where there is nothing to follow at the moment */
  async function join(): Promise<Subscription | undefined> {
    // First, as the feed may be out of reach: whoever revokes waits for us until our row is right.
    if (declared !== 'database') await declare('database', null)
    const current = await catchUp()
    const preparation = await feed.prepare(current)
    if (preparation.kind === 'unfit') cease(preparation.reason)
    if (preparation.kind !== 'ready' || stopping.signal.aborted) return undefined
    dataSet = preparation.dataSet
    await declare('replica', dataSet)
    subscription = await feed.follow(dataSet)
    await catchUp()
    await confirm()
    return subscription
  }

  /** One read of the feed: the lease runs from its sending, and only if it left nothing behind. */
  async function read(from: Subscription): Promise<boolean> {
    const sentAt = lease.now()
    const { events, isDrained, horizon: reached } = await from.read(horizon)
    apply(events)
    horizon = reached ?? horizon
    if (isDrained) {
      lease.renew(sentAt)
      if (!follows && from === subscription) begin()
    }
    if (events.length > 0 && feed.confirmsInRow) await confirm()
    return events.length > 0
  }

  function begin(): void {
    if (stopping.signal.aborted) return
    follows = true
    complaint = undefined
    log.info({ event: 'replica.following', live: state.size }, 'Deciding from the replica')
    onTurn?.(true)
  }

  /** Joins and reads once: then the node decides from memory, or has said why it does not. */
  async function attempt(): Promise<void> {
    try {
      const joined = await join()
      if (joined !== undefined) await read(joined)
    } catch (error) {
      lose(`The feed or Postgres is away (${nameOf(error)})`)
    }
  }

  const isFollowing = (): boolean => follows && !stopping.signal.aborted

  async function follow(from: Subscription): Promise<void> {
    try {
      while (isFollowing()) {
        if (await read(from)) continue
        apply(await from.arrival())
      }
    } catch (error) {
      if (follows) lose(`The feed is lost (${nameOf(error)})`)
    } finally {
      from.end()
      if (from === subscription) subscription = undefined
    }
  }

  async function live(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (subscription !== undefined) await follow(subscription)
      if (stopping.signal.aborted) return
      await attempt()
      if (!follows) await wait(retryMs)
    }
  }

  async function untilFirstFollowing(): Promise<void> {
    const giveUpAt = performance.now() + startMs
    for (;;) {
      await attempt()
      if (follows || stopping.signal.aborted || performance.now() > giveUpAt) return
      await wait(startRetryMs)
    }
  }

  async function wait(ms: number): Promise<void> {
    await pause(ms, undefined, { signal: stopping.signal }).catch(() => undefined)
  }

  /** The safety net: what reached this node on no other way, and its sign of life. */
  async function beat(): Promise<void> {
    state.forgetExpired(clock())
    if (!feed.confirmsInRow) await catchUp()
    await confirm()
  }

  return {
    apply,

    /** Decides from memory; undefined where this node may not at this moment. */
    decide: (claims: CoveredClaims): Verdict | undefined => {
      if (!isFollowing()) return undefined
      const now = lease.now()
      return lease.holds(now) && rowLease.holds(now) ? decideFromMemory(claims) : undefined
    },

    status: (): NodeStatus => {
      const leftMs = follows ? lease.leftMs() : 0
      return {
        decidesFrom: leftMs > 0 && rowLease.holds() ? 'replica' : 'database',
        leaseLeftMs: Math.max(0, leftMs),
        lagMs: Math.max(0, leaseMs - leftMs),
        live: state.size
      }
    },

    /**
     * Done when the node decides from memory, so that a healthy deployment does from the first
     * request on; when there is nothing to follow yet; or after a while, where there is so much to
     * read that the node asks Postgres meanwhile.
     */
    start: async (): Promise<void> => {
      const beginning = untilFirstFollowing()
      living = beginning.then(() => {
        // Not before: the beat would read all there is a second time.
        if (!stopping.signal.aborted) background.push(every(beatMs, beat))
        return live()
      })
      await Promise.race([beginning, pause(longestStartMs, undefined, { ref: false })])
    },

    /** From now on this node decides nothing from memory, and nobody needs to reckon with it. */
    stop: async (): Promise<void> => {
      stopping.abort()
      follows = false
      subscription?.end()
      await living
      await Promise.all(background.map((task) => task.stop()))
      await registry.remove(nodeId).catch(() => undefined)
    }
  }
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown'
}
