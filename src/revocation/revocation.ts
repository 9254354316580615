import { uuidv7 } from 'uuidv7'
import type { AuditEvent } from '../audit/events.js'
import type { Origin } from '../audit/origin.js'
import type { Clock } from '../clock.js'
import type { Database, Queries } from '../database/connection.js'
import { createAnnouncer, type Receipt } from './announcer.js'
import { PublicationFailed, publishBacklog } from './backlog.js'
import { readFromDatabase } from './database-check.js'
import { createDataSetFinder } from './data-set-finder.js'
import { createDatabaseNode } from './database-node.js'
import { type CoveredClaims, decide, type RevocationKind, type Verdict } from './decision.js'
import { createDenyList, type DenyList } from './deny-list.js'
import { createDecisionCounts } from './decision-counts.js'
import { every } from '../every.js'
import type { LocalNode } from './local-node.js'
import type { RedisClient } from '../redis/client.js'
import type { Log } from './log.js'
import { createObserverSlot, type RevocationObserver } from './observer.js'
import { forgetSilentNodes, listNodeIds, type NodeMode } from './nodes.js'
import { createPostgresFeed } from './postgres-feed.js'
import { createRedisFeed } from './redis-feed.js'
import { createRedisNode } from './redis-node.js'
import { type Change, recordChange } from './recorded-change.js'
import { createPostgresRegistry } from './registry.js'
import { createReplicaNode } from './replica-node.js'
import { createRoster } from './roster.js'
import { createStream } from './stream.js'
import {
  countUnpublished,
  deleteRevocationsBefore,
  findLiveRevocation,
  findRevocation,
  listUnconfirmed,
  type NewRevocation,
  raisedGeneration,
  recordRevocation,
  recordRevocations,
  type Revocation
} from './store.js'

/** The clocks of two nodes may differ by this much. */
const clockSkewMs = 30_000

/**
 * How long a revocation outlives the tokens that it covers. Two differences add up: between who
 * issued the token and who judges it, and between who recorded the revocation and who publishes it.
 */
const allowanceMs = 2 * clockSkewMs

const sweepMs = 1_000
const cleanUpMs = 60_000
const historyMs = 90 * 24 * 3_600_000
const rowsPerCleanUp = 1_000
/** So many that the script that adds them to the deny-list holds up nobody. */
const announcedAtOnce = 500

export interface RevocationOptions {
  readonly database: Database
  readonly redis: RedisConnections | undefined
  readonly mode: NodeMode
  readonly deadlineMs: number
  readonly leaseMs: number
  readonly failoverFenceMs: number
  readonly accessTokenTtlSeconds: number
  readonly clock: Clock
  readonly log: Log
}

export interface RedisConnections {
  readonly commands: RedisClient
  /** In mode replica another connection, for commands that block. */
  readonly feed: RedisClient | undefined
}

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

export type RevocationService = ReturnType<typeof createRevocation>

/** Records revocations, spreads them, and decides about tokens. One for each process. */
export function createRevocation(options: RevocationOptions) {
  const { database, redis, accessTokenTtlSeconds, clock } = options
  const nodeId = uuidv7()
  const longestLifeMs = accessTokenTtlSeconds * 1_000 + allowanceMs
  const denyList = redis && createDenyList(redis.commands, clock, longestLifeMs)
  const observer = createObserverSlot()
  const node = createLocalNode(nodeId, denyList, observer, options)
  const decisions = createDecisionCounts()
  const announce = createAnnouncer({
    ...options,
    nodeId,
    denyList,
    apply: node.apply,
    onUnpublished: node.onUnpublished,
    observer
  })
  const background: { stop(): Promise<void> }[] = []

  /**
   * Decides about a token whose signature and claims are good: from what this node has at hand, and
   * otherwise from Postgres.
   *
   * @throws DatabaseUnavailable where Postgres can't be asked either: then nobody knows
   */
  function check(claims: CoveredClaims): Verdict | Promise<Verdict> {
    const own = node.decide(claims)
    if (own === undefined) return askDatabase(claims)
    if (!(own instanceof Promise)) return decisions.count('replica', own)
    return own.then((verdict) =>
      verdict === undefined ? askDatabase(claims) : decisions.count('redis', verdict)
    )
  }

  async function askDatabase(claims: CoveredClaims): Promise<Verdict> {
    try {
      const verdict = decide(claims, await readFromDatabase(database, claims))
      return decisions.count('database', verdict)
    } catch (error) {
      decisions.countUnknown()
      throw error
    }
  }

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

  /** The newest revocation of a target that can still cover a token, to be announced again. */
  async function findLive(kind: 'session' | 'user', target: string) {
    return await database.read((db) => findLiveRevocation(db, kind, target, new Date(clock())))
  }

  /**
   * Announces every revocation that was recorded before and is not known to be true everywhere: its
   * process died, or its deadline passed. @returns the last receipt; undefined where there is none
   *
   * @throws RevocationUnconfirmed, DatabaseUnavailable
   */
  async function announceUnconfirmed(): Promise<Receipt | undefined> {
    let receipt: Receipt | undefined
    for (let after = 0; ;) {
      const page = { now: new Date(clock()), after, limit: announcedAtOnce }
      const [first, ...others] = await database.read((db) => listUnconfirmed(db, page))
      if (first === undefined) return receipt
      receipt = await announce(first, ...others)
      after = (others.at(-1) ?? first).sequence
    }
  }

  /** Publishes what others could not. Where Redis does not take it, nobody may decide from Redis. */
  async function sweep(list: DenyList): Promise<void> {
    try {
      await publishBacklog({ database, denyList: list, clock, skipLocked: true })
    } catch (error) {
      if (error instanceof PublicationFailed) node.onUnpublished()
    }
  }

  async function cleanUp(): Promise<void> {
    const before = new Date(clock() - historyMs)
    await database.write(forgetSilentNodes)
    await database.write((db) => deleteRevocationsBefore(db, before, rowsPerCleanUp))
    if (denyList !== undefined) await forgetStrayFollowers(database, denyList)
  }

  return {
    nodeId,
    check,
    record,
    change,
    recordAll,
    announce,
    announceUnconfirmed,

    /** Kills one access token. `exp` in seconds since the epoch, as it says itself. */
    async revokeToken(token: { jti: string; exp: number }, cause: Cause) {
      const liveUntil = new Date(token.exp * 1_000 + allowanceMs)
      const order = { kind: 'token', target: token.jti, level: null, liveUntil } as const
      return await announce(await database.write((db) => record(db, order, cause)))
    },

    /** Kills every token and session there is. */
    async revokeEveryone(cause: Cause) {
      const recorded = await change(raisedGeneration, { kind: 'everyone', target: null }, cause)
      if (recorded === undefined) throw new Error('The deployment row is missing')
      return await announce(recorded)
    },

    findLive,

    /** As `findLive`, where nobody was told yet that it is true everywhere. */
    async findUnconfirmed(kind: 'session' | 'user', target: string) {
      const live = await findLive(kind, target)
      return live?.confirmedAt === null ? live : undefined
    },

    /** A revocation by its id, to be announced again; undefined where it is long forgotten. */
    async find(id: string) {
      return await database.read((db) => findRevocation(db, id))
    },

    /** Registers this node: from now on writers reckon with it, and it may decide. */
    async start(): Promise<void> {
      await node.start()
      background.push(every(cleanUpMs, cleanUp))
      if (denyList !== undefined) background.push(every(sweepMs, () => sweep(denyList)))
    },

    /** From now on this process decides from Postgres alone, so nobody needs to reckon with it. */
    async stop(): Promise<void> {
      await Promise.all([node.stop(), ...background.map((task) => task.stop())])
      await denyList?.forgetFollowers([nodeId]).catch(() => undefined)
    },

    status: node.status,
    readRoster: createRoster({ ...options, denyList, own: { id: nodeId, status: node.status } }),
    observe: observer.set,
    /** Verdicts so far, by what they were decided from. */
    decisions: decisions.read,
    /** Live revocations that were recorded and that Redis, where there is one, does not hold yet. */
    async countUnpublished(): Promise<number> {
      if (denyList === undefined) return 0
      return await database.read((db) => countUnpublished(db, new Date(clock())))
    }
  }
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

function createLocalNode(
  nodeId: string,
  denyList: DenyList | undefined,
  observer: RevocationObserver,
  options: RevocationOptions
): LocalNode {
  const { database, redis, mode, leaseMs, clock, log } = options
  const registry = createPostgresRegistry(database, clock)
  const { readLog } = registry
  const findDataSet = denyList && createDataSetFinder({ denyList, database, readLog, log })
  if (mode === 'database') return createDatabaseNode(nodeId, database)
  if (mode === 'redis') {
    if (denyList === undefined || findDataSet === undefined) {
      throw new TypeError('Mode redis needs a Redis')
    }
    return createRedisNode(nodeId, { denyList, findDataSet, database, clock, log })
  }
  const stream = redis?.feed && createStream(redis.feed)
  const feed =
    stream && findDataSet
      ? createRedisFeed({ nodeId, stream, findDataSet, leaseMs })
      : createPostgresFeed({ database, leaseMs, clock })
  return createReplicaNode({
    nodeId,
    clientId: null,
    feed,
    registry,
    leaseMs,
    clock,
    log,
    onTurn: observer.turned
  })
}

/** Those who follow the stream and are on no list any more: they died without a word. */
async function forgetStrayFollowers(database: Database, denyList: DenyList): Promise<void> {
  // In this order: whoever follows was on the list before.
  const { byNode } = await denyList.followers()
  const listed = new Set(await database.read(listNodeIds))
  await denyList.forgetFollowers([...byNode.keys()].filter((id) => !listed.has(id)))
}
