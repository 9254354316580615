import type { FindDataSet } from '../revocation/data-set-finder.js'
import type { DenyList } from '../revocation/deny-list.js'

/**
 * Looks whether Redis holds the data set that counts. To make one is for Keycard's own nodes, which
 * know what belongs into it.
 */
export function createDataSetObserver(denyList: Pick<DenyList, 'inspect'>): FindDataSet {
  return async (wanted) => {
    const { isPrimary, dataSet } = await denyList.inspect()
    if (!isPrimary) return { kind: 'unfit', reason: 'Redis is a read-only replica' }
    if (dataSet === undefined || dataSet !== wanted) {
      return { kind: 'unfit', reason: 'Redis does not hold the data set that counts' }
    }
    return { kind: 'whole', dataSet }
  }
}
