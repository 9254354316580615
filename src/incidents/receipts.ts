import { weakestOf } from '../revocation/conviction.js'
import type { NodeReceipt, Receipt } from '../revocation/announcer.js'

/**
 * What two receipts say together: the weaker guarantee, and of each node the longest time. One that
 * did not apply something has none.
 */
export function mergeReceipts(earlier: Receipt | undefined, later: Receipt): Receipt {
  if (earlier === undefined) return later
  const nodes = new Map(earlier.nodes.map((node) => [node.id, node]))
  for (const node of later.nodes) nodes.set(node.id, mergeNode(nodes.get(node.id), node))
  return {
    ...later,
    guarantee: weakestOf([earlier.guarantee, later.guarantee]) ?? later.guarantee,
    nodes: [...nodes.values()]
  }
}

function mergeNode(earlier: NodeReceipt | undefined, later: NodeReceipt): NodeReceipt {
  if (earlier === undefined) return later
  const times = [earlier.appliedAfterMs, later.appliedAfterMs]
  const known = times.filter((time) => time !== null)
  return {
    id: later.id,
    how: weakestOf([earlier.how, later.how]) ?? later.how,
    appliedAfterMs: known.length === times.length ? Math.max(...known) : null
  }
}
