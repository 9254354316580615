import type { Clock } from '../clock.js'
import type { Database } from '../database/connection.js'
import type { Listener } from '../database/listener.js'
import type { Feed } from './feed.js'
import { readLogPage } from './log-page.js'
import { postgresFollowerLifeMs } from './nodes.js'
import type { RevocationEvent } from './state.js'
import { readNews, type ReadLog } from './truth.js'

/** Told after a revocation was committed, so that followers need not wait for their next look. */
export const revocationsChannel = 'keycard_revocations'

const eventsPerPage = 10_000
const looksPerLease = 5

/**
 * Follows the log in Postgres on a connection of its own, so that no crowd of requests delays it: a
 * look several times per lease, and at once when a notification comes.
 */
export function createPostgresFeed(options: {
  readonly database: Database
  readonly leaseMs: number
  readonly clock: Clock
}): Feed {
  const { database, leaseMs, clock } = options
  const waitMs = Math.ceil(leaseMs / looksPerLease)

  function readLogOn(listener: Listener): ReadLog {
    return (since, after) =>
      listener.query((db) =>
        readLogPage(db, { since, after, now: new Date(clock()), limit: eventsPerPage })
      )
  }

  return {
    rowLifeMs: postgresFollowerLifeMs,
    confirmsInRow: true,
    async prepare() {
      return { kind: 'ready', dataSet: null }
    },
    async follow() {
      const listener = await database.listen(revocationsChannel)
      const readLog = readLogOn(listener)
      return {
        async read(seen) {
          const events: RevocationEvent[] = []
          let horizon = seen
          for await (const news of readNews(readLog, seen)) {
            events.push(...news.events)
            horizon = news.horizon
          }
          return {
            events,
            isDrained: true,
            ...(horizon === undefined ? {} : { horizon })
          }
        },
        async arrival() {
          await listener.notification(waitMs)
          return []
        },
        end() {
          listener.end()
        }
      }
    }
  }
}
