import type { Redis } from 'ioredis'
import { uuidv7 } from 'uuidv7'
import type { Clock } from '../clock.js'
import type { Database, Queries } from '../database/connection.js'
import { createAnnouncer } from './announcer.js'
import { PublicationFailed, publishBacklog } from './backlog.js'
import { readFromDatabase } from './database-check.js'
import { type CoveredClaims, decide, type RevocationKind, type Verdict } from './decision.js'
import { createDenyList, type DenyList } from './deny-list.js'
import { createDenyListKeeper } from './deny-list-keeper.js'
import { createDenyListReader } from './deny-list-reader.js'
import { every } from '../every.js'
import type { Log } from './log.js'
import { forgetSilentNodes, type NodeMode, removeNode, renewNode } from './nodes.js'
import {
  deleteRevocationsBefore,
  findLiveRevocation,
  raiseGeneration,
  recordRevocation,
  type Revocation
} from './store.js'

/** The clocks of two nodes may differ by this much. */
const clockSkewMs = 30_000

/**
 * How long a revocation outlives the tokens that it covers. Two differences add up: between who
 * issued the token and who judges it, and between who recorded the revocation and who publishes it.
 */
const allowanceMs = 2 * clockSkewMs

const renewMs = 1_000
const sweepMs = 1_000
const cleanUpMs = 60_000
const historyMs = 90 * 24 * 3_600_000
const rowsPerCleanUp = 1_000

export interface RevocationOptions {
  readonly database: Database
  readonly redis: Redis | undefined
  readonly mode: NodeMode
  readonly deadlineMs: number
  readonly accessTokenTtlSeconds: number
  readonly clock: Clock
  readonly log: Log
}

/** Who asks for a revocation, and why. */
export interface Cause {
  readonly reason: string
  readonly actorId: string | null
}

export type RevocationService = ReturnType<typeof createRevocation>

/** Records revocations, spreads them, and decides about tokens. One for each process. */
export function createRevocation(options: RevocationOptions) {
  const { database, redis, mode, deadlineMs, accessTokenTtlSeconds, clock, log } = options
  const node = { id: uuidv7(), mode }
  const denyList = redis && createDenyList(redis, clock)
  const reader = denyList && mode === 'redis' ? createReader(denyList) : undefined
  const announce = createAnnouncer({
    database,
    denyList,
    deadlineMs,
    clock,
    onUnpublished: () => reader?.keeper.recover()
  })
  const background: { stop(): Promise<void> }[] = []

  function createReader(list: DenyList) {
    const keeper = createDenyListKeeper({ denyList: list, database, node, clock, log })
    const read = createDenyListReader(async (batch) => {
      const dataSet = keeper.dataSet()
      return dataSet === undefined ? undefined : await list.read(dataSet, batch)
    })
    return { keeper, read }
  }

  /**
   * Decides about a token whose signature and claims are good.
   *
   * @throws DatabaseUnavailable where neither Redis nor Postgres can be asked: then nobody knows
   */
  async function check(claims: CoveredClaims): Promise<Verdict> {
    if (reader?.keeper.dataSet() !== undefined) {
      const view = await reader.read(claims).catch(() => undefined)
      if (view !== undefined) return decide(claims, view)
      reader.keeper.recover()
    }
    return decide(claims, await readFromDatabase(database, claims))
  }

  /** Writes the durable row inside the transaction that makes the change. Announce it after the commit. */
  async function record(
    tx: Queries,
    what: { kind: RevocationKind; target: string | null; level: number | null; liveUntil?: Date },
    cause: Cause
  ): Promise<Revocation> {
    const now = clock()
    const liveUntil = new Date(now + accessTokenTtlSeconds * 1_000 + allowanceMs)
    return await recordRevocation(tx, { liveUntil, ...what, ...cause, createdAt: new Date(now) })
  }

  /** Publishes what others could not. Where Redis does not take it, nobody may decide from Redis. */
  async function sweep(list: DenyList): Promise<void> {
    try {
      await publishBacklog({ database, denyList: list, clock, skipLocked: true })
    } catch (error) {
      if (error instanceof PublicationFailed) reader?.keeper.recover()
    }
  }

  async function cleanUp(): Promise<void> {
    const before = new Date(clock() - historyMs)
    await database.write(forgetSilentNodes)
    await database.write((db) => deleteRevocationsBefore(db, before, rowsPerCleanUp))
  }

  async function renew(): Promise<void> {
    if (reader === undefined) await database.write((db) => renewNode(db, node))
    else await reader.keeper.renew()
  }

  return {
    nodeId: node.id,
    check,
    record,
    announce,

    /** Kills one access token. `exp` in seconds since the epoch, as it says itself. */
    async revokeToken(token: { jti: string; exp: number }, cause: Cause) {
      const liveUntil = new Date(token.exp * 1_000 + allowanceMs)
      return await announce(
        await database.transaction((tx) =>
          record(tx, { kind: 'token', target: token.jti, level: null, liveUntil }, cause)
        )
      )
    },

    /** Kills every token and session there is. */
    async revokeEveryone(cause: Cause) {
      return await announce(
        await database.transaction(async (tx) => {
          const level = await raiseGeneration(tx)
          return await record(tx, { kind: 'everyone', target: null, level }, cause)
        })
      )
    },

    /** The newest revocation of a target that can still cover a token, to be announced again. */
    async findLive(kind: 'session' | 'user', target: string) {
      return await database.read((db) => findLiveRevocation(db, kind, target, new Date(clock())))
    },

    /** Registers this node: from now on writers reckon with it, and it may decide. */
    async start(): Promise<void> {
      await renew()
      await reader?.keeper.start()
      background.push(every(renewMs, renew), every(cleanUpMs, cleanUp))
      if (denyList !== undefined) background.push(every(sweepMs, () => sweep(denyList)))
    },

    /** From now on this process decides from Postgres alone, so nobody needs to reckon with it. */
    async stop(): Promise<void> {
      await Promise.all([reader?.keeper.stop(), ...background.map((task) => task.stop())])
      await database.write((db) => removeNode(db, node.id)).catch(() => undefined)
    }
  }
}
