import type { RevocationEvent } from './state.js'
import type { Cursor, Horizon, LogPage } from './log-page.js'

/** Reads a page of the log, wherever it is asked for. */
export type ReadLog = (since: Horizon | undefined, after: Cursor | undefined) => Promise<LogPage>

/** Some of the revocations that were not seen before, and the horizon once all pages are applied. */
export interface News {
  readonly events: readonly RevocationEvent[]
  readonly horizon: Horizon
  /** The data set in Redis that counts. */
  readonly dataSet: string | null
}

/**
 * Everything that can still cover a token and that a reader with the horizon `since` has not seen, in
 * pages: a mass logout leaves more than one answer should hold.
 *
 * Without `since`, the generation is among it: the row that raised it may be gone by now.
 *
 * The horizon is that of the first page. Later pages see more, and what they see too much will be
 * read again: harmless, as events may be applied twice.
 */
export async function* readNews(read: ReadLog, since?: Horizon): AsyncGenerator<News> {
  let page = await read(since, undefined)
  const { generation, horizon, dataSet } = page
  if (since === undefined) {
    yield { events: [{ kind: 'everyone', level: generation }], horizon, dataSet }
  }
  for (;;) {
    // Postgres reads the next page while this one is applied.
    const following = page.next && read(since, page.next)
    following?.catch(() => undefined)
    yield { events: page.events, horizon, dataSet }
    if (following === undefined) return
    page = await following
  }
}
