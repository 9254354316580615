import type { Result } from 'ioredis'
import type { RedisClient } from '../redis/client.js'
import { followersKey, nameKey, streamKey } from './deny-list-keys.js'
import { followScript } from './deny-list-scripts.js'
import type { RevocationEvent } from './state.js'
import { decodeEvent } from './stream-message.js'
import { isStreamPlace, type StreamPlace, streamStart } from './stream-place.js'

declare module 'ioredis' {
  interface RedisCommander<Context> {
    keycardFollow(
      ...keysAndArguments: (string | number)[]
    ): Result<[0] | [1, ...idsAndMessages: string[]], Context>
  }
}

/** Entries and the place of the last one. */
export interface StreamReading {
  readonly events: readonly RevocationEvent[]
  readonly place: StreamPlace
}

export type Stream = ReturnType<typeof createStream>

/**
 * The stream of published revocations, on a connection of its own: waiting for entries would hold up
 * everything else on it. Every function rejects when Redis does not answer in time.
 */
export function createStream(redis: RedisClient) {
  redis.defineCommand('keycardFollow', { numberOfKeys: 3, lua: followScript })

  return {
    /** The place of the newest entry. */
    async end(): Promise<StreamPlace> {
      const [newest] = await redis.xrevrange(streamKey, '+', '-', 'COUNT', 1)
      return newest === undefined ? streamStart : placeOf(newest[0])
    },

    /**
     * Reads on from `place`, and notes that this node has applied everything up to there.
     *
     * @returns undefined when the data set is no longer this one, or no longer whole
     */
    async read(
      dataSet: string,
      follower: { readonly nodeId: string; readonly place: StreamPlace; readonly reads: number },
      limit: number
    ): Promise<StreamReading | undefined> {
      const { nodeId, place, reads } = follower
      const keys = [nameKey, streamKey, followersKey]
      const [isWhole, ...flat] = await redis.keycardFollow(
        ...keys,
        dataSet,
        nodeId,
        place,
        reads,
        limit
      )
      if (isWhole !== 1) return undefined
      const entries: [string, string][] = []
      for (let index = 0; index < flat.length; index += 2) {
        entries.push([flat[index] ?? '', flat[index + 1] ?? ''])
      }
      return readingOf(place, entries)
    },

    /** Waits for entries beyond `place`, not for longer than `waitMs`. It proves nothing. */
    async arrival(place: StreamPlace, limit: number, waitMs: number): Promise<StreamReading> {
      const answer = await redis.xread('COUNT', limit, 'BLOCK', waitMs, 'STREAMS', streamKey, place)
      const found = answer?.[0]?.[1] ?? []
      return readingOf(
        place,
        found.map(([id, fields]) => [id, fields[1] ?? ''])
      )
    }
  }
}

function readingOf(place: StreamPlace, entries: readonly [string, string][]): StreamReading {
  const last = entries.at(-1)
  return {
    events: entries.map(([, message]) => decodeEvent(message)),
    place: last === undefined ? place : placeOf(last[0])
  }
}

function placeOf(id: string): StreamPlace {
  if (!isStreamPlace(id)) throw new Error('Redis answered with an id that is none')
  return id
}
