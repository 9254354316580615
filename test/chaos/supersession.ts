import { groupBy } from './group-by.js'
import type { Call, Refresh } from './history.js'

/**
 * Whether the token of a refresh may have counted as used up at some moment until `latest`: its
 * successor was presented, or it was itself presented by another call longer ago than the grace. An
 * attempt counts whatever its answer was: the answer may have been lost.
 */
export type Supersession = (refresh: Refresh, latest?: number) => boolean

export function createSupersession(calls: readonly Call[], graceMs: number): Supersession {
  const refreshes = calls.filter((call) => call.kind === 'refresh')
  const bySession = groupBy(refreshes, (refresh) => refresh.token.sid)

  return function isSuperseded(refresh, latest = refresh.end) {
    const { token } = refresh
    const others = bySession.get(token.sid) ?? []
    return others.some((other) => {
      if (other === refresh || other.start >= latest) return false
      if (other.token.ordinal > token.ordinal) return true
      return other.token.ordinal === token.ordinal && latest - other.start >= graceMs
    })
  }
}
