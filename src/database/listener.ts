import type { Queries } from './queries.js'
import { after } from './after.js'
import { DatabaseUnavailable, translate } from './errors.js'
import type { Link } from './link.js'

/** A connection of its own that hears notifications. Once it fails it is of no use any more. */
export interface Listener {
  /**
   * Asks on this connection.
   *
   * @throws DatabaseUnavailable, QueryFailed, and whatever `query` throws
   */
  query: <T>(query: (db: Queries) => Promise<T>) => Promise<T>
  /** Done when a notification has come since the last call, or after `ms`. */
  notification: (ms: number) => Promise<void>
  end: () => void
}

/**
 * @param open a link that calls its argument for each notification
 * @param withinMs the deadline of every statement
 */
export async function openListener(
  channel: string,
  open: (onNotify: () => void) => Link,
  withinMs: number
): Promise<Listener> {
  let isPending = false
  let isEnded = false
  let wake: (() => void) | undefined

  const link = open(() => {
    isPending = true
    wake?.()
  })

  async function bounded<T>(work: () => Promise<T>): Promise<T> {
    const calm = after(withinMs, link.destroy)
    try {
      if (!link.isUsable()) throw new DatabaseUnavailable('lost')
      return await work()
    } catch (error) {
      link.destroy()
      throw translate(error)
    } finally {
      calm()
    }
  }

  await bounded(() => link.command(`listen ${channel}`))
  return {
    query: (query) => bounded(() => query(link.db)),
    async notification(ms) {
      if (!isPending && !isEnded) {
        await new Promise<void>((resolve) => {
          const calm = after(ms, resolve)
          wake = () => {
            calm()
            resolve()
          }
        })
      }
      wake = undefined
      isPending = false
    },
    end() {
      isEnded = true
      wake?.()
      link.destroy()
    }
  }
}
