import { weakestOf } from '../revocation/conviction.js'
import type { Receipt } from '../revocation/announcer.js'

/**
 * What two receipts say together: the weaker guarantee, and of each node the longest time. One that
 * did not apply something has none.
 */
export function mergeReceipts(earlier: Receipt | undefined, later: Receipt): Receipt {
  if (earlier === undefined) return later
  const times = new Map(earlier.nodes.map(({ id, appliedAfterMs }) => [id, appliedAfterMs]))
  for (const { id, appliedAfterMs } of later.nodes) {
    const known = times.get(id)
    const isKnown = known !== undefined && known !== null && appliedAfterMs !== null
    times.set(
      id,
      isKnown ? Math.max(known, appliedAfterMs) : known === null ? null : appliedAfterMs
    )
  }
  return {
    ...later,
    guarantee: weakestOf([earlier.guarantee, later.guarantee]) ?? later.guarantee,
    nodes: [...times].map(([id, appliedAfterMs]) => ({ id, appliedAfterMs }))
  }
}
