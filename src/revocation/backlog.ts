import type { Clock } from '../clock.js'
import type { Database } from '../database/connection.js'
import type { DenyList } from './deny-list.js'
import { eventOf, lockUnpublished, markPublished, type Revocation } from './store.js'

const rowsPerTransaction = 500

/** The deny-list that counts did not take an entry: nodes that decide from it miss something. */
export class PublicationFailed extends Error {
  override name = 'PublicationFailed'
}

/**
 * Publishes every revocation that was recorded and not published: its publisher died, had no
 * Redis, or Redis was away. With `skipLocked`, rows that another node is publishing right now are
 * left to it; without, they are waited for: what was committed before is published afterwards.
 *
 * @throws PublicationFailed, DatabaseUnavailable
 */
export async function publishBacklog(parts: {
  database: Database
  denyList: DenyList
  clock: Clock
  skipLocked: boolean
}): Promise<void> {
  const { database, denyList, clock, skipLocked } = parts

  async function publish(rows: readonly Revocation[]): Promise<string> {
    const publication = await denyList.publish(rows.map(eventOf)).catch((cause: unknown) => {
      throw new PublicationFailed('Redis did not take the revocations', { cause })
    })
    if (publication === undefined) throw new PublicationFailed('Redis holds no whole data set')
    return publication.dataSet
  }

  for (let isDone = false; !isDone;) {
    isDone = await database.transaction(async (tx) => {
      const now = new Date(clock())
      const rows = await lockUnpublished(tx, { now, limit: rowsPerTransaction, skipLocked })
      if (rows.length === 0) return true
      const dataSet = await publish(rows)
      const ids = rows.map((row) => row.id)
      const marked = await markPublished(tx, ids, { dataSet, now: new Date(clock()) })
      if (marked === 0) throw new PublicationFailed('This is not the data set that counts')
      return rows.length < rowsPerTransaction
    })
  }
}
