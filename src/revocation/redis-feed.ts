import type { FindDataSet } from './data-set-finder.js'
import type { Feed, Subscription } from './feed.js'
import { redisFollowerLifeMs } from './nodes.js'
import type { Stream } from './stream.js'

const entriesPerRead = 1_000

/** How long one wait for entries lasts: a fraction of any lease, as a lease is renewed between two. */
const waitsPerLease = 5

/** What is followed in Redis has ceased to be what counts. */
export class FeedLost extends Error {
  override name = 'FeedLost'
}

/** Follows the stream in Redis, in the data set that counts and in no other. */
export function createRedisFeed(options: {
  readonly nodeId: string
  readonly stream: Stream
  readonly findDataSet: FindDataSet
  readonly leaseMs: number
}): Feed {
  const { nodeId, stream, findDataSet, leaseMs } = options
  const waitMs = Math.ceil(leaseMs / waitsPerLease)
  /** Never the same number twice: writers tell by it whether this node is still reading. */
  let reads = 0

  async function follow(dataSet: string | null): Promise<Subscription> {
    if (dataSet === null) throw new FeedLost('There is no data set to follow')
    let place = await stream.end()
    let isEnded = false

    function assertOpen(): void {
      if (isEnded) throw new FeedLost('This subscription has ended')
    }

    return {
      async read() {
        assertOpen()
        reads += 1
        const reading = await stream.read(dataSet, { nodeId, place, reads }, entriesPerRead)
        if (reading === undefined) throw new FeedLost('The data set is not whole any more')
        place = reading.place
        return { events: reading.events, isDrained: reading.events.length < entriesPerRead }
      },
      async arrival() {
        assertOpen()
        const reading = await stream.arrival(place, entriesPerRead, waitMs)
        place = reading.place
        return reading.events
      },
      end() {
        isEnded = true
      }
    }
  }

  return {
    rowLifeMs: redisFollowerLifeMs,
    confirmsInRow: false,
    async prepare(current) {
      const finding = await findDataSet(current)
      if (finding.kind !== 'whole') return finding
      // A primary that may not write is told here, before anybody reckons with this node.
      const trial = await follow(finding.dataSet)
      await trial.read(undefined)
      return { kind: 'ready', dataSet: finding.dataSet }
    },
    follow
  }
}
