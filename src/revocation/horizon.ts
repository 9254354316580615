import type { Horizon } from './log-page.js'

/** Whether Postgres would take this for a snapshot, so that what clients send never makes it fail. */
export function isHorizon(text: string): text is Horizon {
  const [xmin, xmax, inProgress, ...rest] = text.split(':')
  if (!isNumber(xmin) || !isNumber(xmax) || inProgress === undefined || rest.length > 0)
    return false
  const numbers = inProgress === '' ? [] : inProgress.split(',')
  if (!numbers.every(isNumber)) return false
  const inside = numbers.map(BigInt)
  const [low, high] = [BigInt(xmin), BigInt(xmax)]
  const isAscending = inside.every((xid, index) => index === 0 || xid > (inside[index - 1] ?? 0n))
  return low > 0n && low <= high && isAscending && inside.every((xid) => xid >= low && xid < high)
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^\d{1,18}$/.test(text)
}

/**
 * Whether a transaction had ended when a snapshot was taken, as pg_visible_in_snapshot() says it. A
 * snapshot is written `xmin:xmax:` and the numbers in between that had not ended (Postgres 18, §9.28.6).
 */
export function isWithin(xid: string, horizon: Horizon): boolean {
  const [xmin = '', xmax = '', inProgress = ''] = horizon.split(':')
  const number = BigInt(xid)
  if (number < BigInt(xmin)) return true
  return number < BigInt(xmax) && !inProgress.split(',').includes(xid)
}
