import type { Database } from '../database/connection.js'
import type { RevocationEvent } from './state.js'
import { readGeneration, readLivePage, toEvent } from './store.js'

const rowsPerPage = 1_000

/**
 * Everything that can still cover a token, as Postgres knows it, in pages: a mass logout leaves
 * more than one answer should hold.
 *
 * @throws DatabaseUnavailable
 */
export async function* readTruth(
  database: Database,
  now: Date
): AsyncGenerator<readonly RevocationEvent[]> {
  yield [{ kind: 'everyone', level: await database.read(readGeneration) }]
  let after = 0
  for (let isDone = false; !isDone;) {
    const from = { now, after, limit: rowsPerPage }
    const rows = await database.read((db) => readLivePage(db, from))
    yield rows.map(toEvent)
    after = rows.at(-1)?.sequence ?? after
    isDone = rows.length < rowsPerPage
  }
}
