import { randomUUID } from 'node:crypto'
import type { Redis, Result } from 'ioredis'
import type { Clock } from '../clock.js'
import type { CoveredClaims, RevocationView } from './decision.js'
import {
  claimScript,
  extendScript,
  finishScript,
  inspectScript,
  publishScript,
  readScript
} from './deny-list-scripts.js'
import type { RevocationEvent } from './state.js'

type ReadReply = [0] | [1, number, (string | null)[]]
type InspectReply = [isPrimary: number, name: string, policy: string, memoryLimit: string]
type Arguments = (string | number)[]

declare module 'ioredis' {
  interface RedisCommander<Context> {
    keycardRead(keyCount: number, ...keysAndName: string[]): Result<ReadReply, Context>
    keycardPublish(keyCount: number, ...keysAndArguments: Arguments): Result<string, Context>
    keycardInspect(nameKey: string): Result<InspectReply, Context>
    keycardClaim(...keysAndArguments: Arguments): Result<string, Context>
    keycardExtend(claim: string, name: string, lifeMs: number): Result<number, Context>
    keycardFinish(claim: string, nameKey: string, name: string): Result<number, Context>
  }
}

const nameKey = 'keycard:dataset'
const generationKey = 'keycard:generation'
const claimKey = 'keycard:rebuild'

const claimLifeMs = 3_000

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

export type DenyList = ReturnType<typeof createDenyList>

/** The deny-list in Redis. Every function rejects when Redis does not answer in time. */
export function createDenyList(redis: Redis, clock: Clock) {
  redis.defineCommand('keycardRead', { lua: readScript })
  redis.defineCommand('keycardPublish', { lua: publishScript })
  redis.defineCommand('keycardInspect', { numberOfKeys: 1, lua: inspectScript })
  redis.defineCommand('keycardClaim', { numberOfKeys: 3, lua: claimScript })
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
   * Adds the events, all of a call at once. Repeating it is harmless.
   *
   * @returns the data set that holds them now; undefined where the server has none
   */
  async function publish(events: readonly RevocationEvent[]): Promise<string | undefined> {
    const entries = events.map(toEntry).filter((entry) => entry !== undefined)
    const dataSet = await redis.keycardPublish(
      entries.length + 2,
      nameKey,
      claimKey,
      ...entries.map((entry) => entry.key),
      ...entries.flatMap((entry) => [entry.level, entry.lifeMs])
    )
    return dataSet || undefined
  }

  function toEntry(event: RevocationEvent) {
    if (event.kind === 'everyone') return { key: generationKey, level: event.level, lifeMs: 0 }
    const lifeMs = Math.ceil(event.liveUntil - clock())
    if (lifeMs <= 0) return undefined
    switch (event.kind) {
      case 'user':
        return { key: userKey(event.target), level: event.level, lifeMs }
      case 'session':
        return { key: sessionKey(event.target), level: 1, lifeMs }
      case 'token':
        return { key: tokenKey(event.target), level: 1, lifeMs }
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
    const keys = [claimKey, nameKey, generationKey]
    const dataSet = await redis.keycardClaim(...keys, randomUUID(), claimLifeMs, replacing ?? '')
    if (dataSet === '') return undefined
    await declare(dataSet)
    for await (const events of load()) {
      if ((await redis.keycardExtend(claimKey, dataSet, claimLifeMs)) !== 1) return undefined
      // A new connection may have led elsewhere meanwhile.
      if ((await publish(events)) !== dataSet) return undefined
    }
    const isFilled = await redis.keycardFinish(claimKey, nameKey, dataSet)
    return isFilled === 1 ? dataSet : undefined
  }

  return {
    read,
    publish,
    inspect,
    fill,
    /** Connects anew: the address may lead to another server by now. */
    reconnect(): void {
      redis.disconnect(true)
    }
  }
}

const tokenKey = (tokenId: string) => `deny:jti:${tokenId}`
const sessionKey = (sessionId: string) => `deny:session:${sessionId}`
const userKey = (userId: string) => `deny:user:${userId}`

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
