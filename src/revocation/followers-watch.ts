import type { DenyList, Follower } from './deny-list.js'
import type { FollowerEvidence } from './conviction.js'
import { createSharedRead } from './shared-read.js'

/** The followers of a data set as they were when they were asked for. */
export interface FollowersReport {
  readonly dataSet: string | undefined
  readonly of: (nodeId: string) => FollowerEvidence | 'never read'
}

interface Seen {
  readonly follower: Follower
  /** When it was first seen to have read so often, by our monotonic clock. */
  readonly since: number
}

export type FollowersWatch = ReturnType<typeof createFollowersWatch>

/**
 * Watches how far the followers of the stream are. It tells one that reads on without news from one
 * that has stopped reading by its count of reads, and by our own clock: none of theirs is trusted.
 */
export function createFollowersWatch(denyList: Pick<DenyList, 'followers'>) {
  let seen: ReadonlyMap<string, Seen> = new Map()
  let seenIn: string | undefined

  return createSharedRead(async (): Promise<FollowersReport> => {
    const sentAt = performance.now()
    const { dataSet, byNode } = await denyList.followers()
    const answeredAt = performance.now()
    const known = dataSet === seenIn ? seen : new Map<string, Seen>()
    seen = new Map(
      [...byNode].map(([nodeId, follower]) => {
        const before = known.get(nodeId)
        const isSilent = before?.follower.reads === follower.reads
        return [nodeId, { follower, since: isSilent ? before.since : answeredAt }]
      })
    )
    seenIn = dataSet
    const current = seen
    return {
      dataSet,
      of(nodeId) {
        const found = current.get(nodeId)
        if (found === undefined) return 'never read'
        return { place: found.follower.place, silentForMs: sentAt - found.since }
      }
    }
  })
}
