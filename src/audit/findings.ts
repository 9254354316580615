/** What can be wrong. */
export type AuditFault =
  | 'event removed'
  | 'event added'
  | 'event changed'
  /** A batch's own fields do not have its hash: it was changed, or moved to another number. */
  | 'batch changed'
  | 'batch removed'
  /** A batch does not follow from the one before it. */
  | 'link broken'
  | 'pruned in part'
  /** An older batch still has its events. */
  | 'pruned out of order'
  /** By the present retention the events were not due to go. */
  | 'pruned too early'
  /** No event tells that the batch was pruned, and such an event must still be there. */
  | 'pruning not recorded'
  /** No batch has the hash that was expected: the end was cut off, or the chain written anew. */
  | 'anchor missing'

export interface AuditFinding {
  readonly fault: AuditFault
  /** The number of the batch; null where it is about the whole chain. */
  readonly batch: number | null
  /** A sentence for people. */
  readonly message: string
}

export type ReportFinding = (fault: AuditFault, batch: number | null, message: string) => void

/** Keeps the first `limit` findings and counts the others. */
export function createFindings(limit: number): {
  readonly report: ReportFinding
  readonly read: () => { findings: readonly AuditFinding[]; furtherFindings: number }
} {
  const findings: AuditFinding[] = []
  let furtherFindings = 0
  return {
    report(fault, batch, message) {
      if (findings.length < limit) findings.push({ fault, batch, message })
      else furtherFindings++
    },
    read: () => ({ findings, furtherFindings })
  }
}
