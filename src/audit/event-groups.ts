import type { ChainedEvent } from './chain-pages.js'
import { createEventsDigest } from './digest.js'

/** The events that say they are in one batch. */
export interface EventGroup {
  readonly count: number
  readonly hash: Buffer
}

const empty: EventGroup = { count: 0, hash: createEventsDigest().end() }

/** Takes a stream of events, batch by batch, apart. Holds one event at a time. */
export function createEventGroups(events: AsyncIterator<ChainedEvent>): {
  /** Batches are asked for in the order of their numbers; events of others in between are left out. */
  readonly of: (batch: number) => Promise<EventGroup>
} {
  let current: ChainedEvent | undefined
  let isStarted = false

  async function advance(): Promise<void> {
    const next = await events.next()
    current = next.done === true ? undefined : next.value
  }

  return {
    async of(batch) {
      if (!isStarted) await advance()
      isStarted = true
      while (current !== undefined && current.batch < batch) await advance()
      if (current?.batch !== batch) return empty
      const digest = createEventsDigest()
      let count = 0
      for (; current?.batch === batch; count++) {
        digest.add(current)
        await advance()
      }
      return { count, hash: digest.end() }
    }
  }
}
