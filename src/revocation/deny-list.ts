import { randomUUID } from 'node:crypto'
import type { Result } from 'ioredis'
import type { Clock } from '../clock.js'
import type { RedisClient } from '../redis/client.js'
import { reconnectRedis } from '../redis/reconnect.js'
import type { CoveredClaims, RevocationView } from './decision.js'
import {
  claimKey,
  followersKey,
  generationKey,
  nameKey,
  sessionKey,
  streamKey,
  tokenKey,
  userKey
} from './deny-list-keys.js'
import {
  claimScript,
  extendScript,
  finishScript,
  followersScript,
  inspectScript,
  publishScript,
  readScript
} from './deny-list-scripts.js'
import type { RevocationEvent } from './state.js'
import { encodeEvent } from './stream-message.js'
import { isStreamPlace, type StreamPlace, streamStart } from './stream-place.js'

type ReadReply = [0] | [1, number, (string | null)[]]
type InspectReply = [isPrimary: number, name: string, policy: string, memoryLimit: string]
type FollowersReply = [dataSet: string, followers: string[], end: string, nowMs: string]
type Arguments = (string | number)[]

declare module 'ioredis' {
  interface RedisCommander<Context> {
    keycardRead(keyCount: number, ...keysAndName: string[]): Result<ReadReply, Context>
    keycardPublish(
      keyCount: number,
      ...keysAndArguments: Arguments
    ): Result<[dataSet: string, place: string], Context>
    keycardFollowers(...keys: string[]): Result<FollowersReply, Context>
    keycardInspect(nameKey: string): Result<InspectReply, Context>
    keycardClaim(...keysAndArguments: Arguments): Result<string, Context>
    keycardExtend(claim: string, name: string, lifeMs: number): Result<number, Context>
    keycardFinish(claim: string, nameKey: string, name: string): Result<number, Context>
  }
}

const claimLifeMs = 3_000
/** So many that others need not wait for the script that adds them. */
const eventsPerPortion = 1_000

/** What a look at the server as a whole says. */
export interface DenyListStatus {
  readonly isPrimary: boolean
  /** It may drop deny-list keys when memory is short. */
  readonly evicts: boolean
  /** The name of its data set; undefined where that is not whole. */
  readonly dataSet: string | undefined
}

export interface Filling {
  /** The data set that was found and is not the right one; undefined where none was whole. */
  readonly replacing: string | undefined
  /** Makes the new data set the one that counts. */
  readonly declare: (dataSet: string) => Promise<void>
  /** Reads the truth, page by page. */
  readonly load: () => AsyncIterable<readonly RevocationEvent[]>
}

/** Where an entry was published: the data set that holds it, and its place in the stream. */
export interface Publication {
  readonly dataSet: string
  readonly place: StreamPlace | undefined
}

/** How far a follower of the stream has applied it, and how often it has read it. */
export interface Follower {
  readonly place: StreamPlace
  readonly reads: number
  /** How long ago by the clock of Redis it last read; undefined where an older version doesn't say. */
  readonly readAgoMs: number | undefined
}

/** The followers of a data set, by the id of their node. */
export interface Followers {
  readonly dataSet: string | undefined
  /** The place of the newest entry. */
  readonly end: StreamPlace
  readonly byNode: ReadonlyMap<string, Follower>
}

export type DenyList = ReturnType<typeof createDenyList>

/**
 * The deny-list in Redis. Every function rejects when Redis does not answer in time.
 *
 * @param retentionMs how long the stream keeps an entry: longer than any matters
 */
export function createDenyList(redis: RedisClient, clock: Clock, retentionMs: number) {
  redis.defineCommand('keycardRead', { lua: readScript })
  redis.defineCommand('keycardPublish', { lua: publishScript })
  redis.defineCommand('keycardInspect', { numberOfKeys: 1, lua: inspectScript })
  redis.defineCommand('keycardClaim', { numberOfKeys: 4, lua: claimScript })
  redis.defineCommand('keycardFollowers', { numberOfKeys: 3, lua: followersScript })
  redis.defineCommand('keycardExtend', { numberOfKeys: 1, lua: extendScript })
  redis.defineCommand('keycardFinish', { numberOfKeys: 2, lua: finishScript })

  /**
   * What the deny-list knows about each of these tokens, in one round trip together with the proof
   * that it is this data set and whole; undefined when it is not, and then nothing may be concluded.
   */
  async function read(
    dataSet: string,
    batch: readonly CoveredClaims[]
  ): Promise<RevocationView[] | undefined> {
    const keys = batch.flatMap((claims) => [
      tokenKey(claims.jti),
      sessionKey(claims.sid),
      userKey(claims.sub)
    ])
    const [isWhole, generation, levels] = await redis.keycardRead(
      keys.length + 2,
      nameKey,
      generationKey,
      ...keys,
      dataSet
    )
    if (isWhole !== 1 || generation === undefined || levels?.length !== keys.length)
      return undefined
    return batch.map((_, index) => viewOf(generation, levels.slice(3 * index, 3 * index + 3)))
  }

  /**
   * Adds the events and announces them to all who follow the stream, all of a call at once. Repeating
   * it is harmless.
   *
   * @returns what holds them now; undefined where the server has no data set
   */
  async function publish(events: readonly RevocationEvent[]): Promise<Publication | undefined> {
    return await add(events, retentionMs)
  }

  async function add(
    events: readonly RevocationEvent[],
    announcedForMs: number
  ): Promise<Publication | undefined> {
    const entries = events.map(toEntry).filter((entry) => entry !== undefined)
    const [dataSet, place] = await redis.keycardPublish(
      entries.length + 3,
      nameKey,
      claimKey,
      streamKey,
      ...entries.map((entry) => entry.key),
      announcedForMs,
      ...entries.flatMap((entry) => [entry.level, entry.lifeMs, entry.message])
    )
    if (dataSet === '') return undefined
    return { dataSet, place: isStreamPlace(place) ? place : undefined }
  }

  function toEntry(event: RevocationEvent) {
    const message = encodeEvent(event)
    if (event.kind === 'everyone') {
      return { key: generationKey, level: event.level, lifeMs: 0, message }
    }
    const lifeMs = Math.ceil(event.liveUntil - clock())
    if (lifeMs <= 0) return undefined
    switch (event.kind) {
      case 'user':
        return { key: userKey(event.target), level: event.level, lifeMs, message }
      case 'session':
        return { key: sessionKey(event.target), level: 1, lifeMs, message }
      case 'token':
        return { key: tokenKey(event.target), level: 1, lifeMs, message }
    }
  }

  async function inspect(): Promise<DenyListStatus> {
    const [isPrimary, dataSet, policy, memoryLimit] = await redis.keycardInspect(nameKey)
    return {
      isPrimary: isPrimary === 1,
      evicts: policy !== 'noeviction' && Number(memoryLimit) > 0,
      dataSet: dataSet || undefined
    }
  }

  /**
   * Fills a new data set from the truth. `load` is called only after this node's claim stands in
   * Redis and after `declare`: whatever it misses was committed later, so its publisher finds the
   * new data set to be the one that counts, and a flush that took the entry took the claim along.
   *
   * @returns its name; undefined where another node was faster or the claim was lost: look again
   */
  async function fill({ replacing, declare, load }: Filling): Promise<string | undefined> {
    const keys = [claimKey, nameKey, generationKey, followersKey]
    const dataSet = await redis.keycardClaim(...keys, randomUUID(), claimLifeMs, replacing ?? '')
    if (dataSet === '') return undefined
    await declare(dataSet)
    for await (const events of inPortions(load())) {
      if ((await redis.keycardExtend(claimKey, dataSet, claimLifeMs)) !== 1) return undefined
      // A new connection may have led elsewhere meanwhile. Whoever follows the stream later reads the
      // truth first, so that none of this needs to be announced.
      if ((await add(events, 0))?.dataSet !== dataSet) return undefined
    }
    const isFilled = await redis.keycardFinish(claimKey, nameKey, dataSet)
    return isFilled === 1 ? dataSet : undefined
  }

  async function followers(): Promise<Followers> {
    const keys = [nameKey, followersKey, streamKey]
    const [dataSet, flat, end, nowMs] = await redis.keycardFollowers(...keys)
    const byNode = new Map<string, Follower>()
    for (let index = 0; index < flat.length; index += 2) {
      const [place = '', reads, readAtMs] = (flat[index + 1] ?? '').split(' ')
      if (!isStreamPlace(place)) continue
      const readAgoMs = readAtMs === undefined ? undefined : Number(nowMs) - Number(readAtMs)
      byNode.set(flat[index] ?? '', { place, reads: Number(reads), readAgoMs })
    }
    return {
      dataSet: dataSet || undefined,
      end: isStreamPlace(end) ? end : streamStart,
      byNode
    }
  }

  return {
    read,
    publish,
    inspect,
    fill,
    followers,
    /** Takes nodes off the list of those who follow the stream. */
    async forgetFollowers(nodeIds: readonly string[]): Promise<void> {
      if (nodeIds.length > 0) await redis.hdel(followersKey, ...nodeIds)
    },
    /** Connects anew: the address may lead to another server by now. */
    reconnect(): void {
      reconnectRedis(redis)
    }
  }
}

async function* inPortions(pages: AsyncIterable<readonly RevocationEvent[]>) {
  for await (const page of pages) {
    for (let start = 0; start < page.length; start += eventsPerPortion) {
      yield page.slice(start, start + eventsPerPortion)
    }
  }
}

function viewOf(generation: number, levels: (string | null)[]): RevocationView {
  const [token, session, user] = levels
  return {
    generation,
    isTokenDenied: () => token !== null,
    isSessionDenied: () => session !== null,
    minimumVersion: () => levelOf(user ?? '0')
  }
}

/** A level that is no number was not written by us: nothing below it is good. */
function levelOf(value: string): number {
  const level = Number(value)
  return Number.isSafeInteger(level) ? level : Number.POSITIVE_INFINITY
}
