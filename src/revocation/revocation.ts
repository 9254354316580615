import { uuidv7 } from 'uuidv7'
import type { Clock } from '../clock.js'
import type { Database } from '../database/connection.js'
import { createAnnouncer, type Receipt } from './announcer.js'
import { PublicationFailed, publishBacklog } from './backlog.js'
import { readFromDatabase } from './database-check.js'
import { type CoveredClaims, decide, type Verdict } from './decision.js'
import { createLocalNode } from './create-local-node.js'
import { createDenyList, type DenyList } from './deny-list.js'
import { createDecisionCounts } from './decision-counts.js'
import { every } from '../every.js'
import type { RedisClient } from '../redis/client.js'
import type { Log } from './log.js'
import { createObserverSlot } from './observer.js'
import { forgetSilentNodes, listNodeIds, type NodeMode } from './nodes.js'
import { type Cause, createRecorder } from './recorder.js'
import { createRoster } from './roster.js'
import {
  countUnpublished,
  deleteRevocationsBefore,
  findLiveRevocation,
  findRevocation,
  listUnconfirmed,
  raisedGeneration
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
  const { record, change, recordAll } = createRecorder({ database, longestLifeMs, clock })
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

/** Those who follow the stream and are on no list any more: they died without a word. */
async function forgetStrayFollowers(database: Database, denyList: DenyList): Promise<void> {
  // In this order: whoever follows was on the list before.
  const { byNode } = await denyList.followers()
  const listed = new Set(await database.read(listNodeIds))
  await denyList.forgetFollowers([...byNode.keys()].filter((id) => !listed.has(id)))
}
