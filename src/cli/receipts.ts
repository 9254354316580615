import type { Receipt } from '../revocation/announcer.js'
import type { Conviction } from '../revocation/conviction.js'
import { fields, table } from './table.js'
import { duration } from './times.js'

const inWords: Readonly<Record<Conviction, string>> = {
  applied: 'has applied it',
  'lease-expired': 'its lease is over',
  database: 'asks Postgres for each request'
}

/** A receipt for people: for each node how it is known, and how soon. */
export function receiptText(receipt: Receipt): string {
  const summary = fields({
    revocation: receipt.revocationId,
    'true since': receipt.acknowledgedAt,
    guarantee: receipt.guarantee
  })
  if (receipt.nodes.length === 0) return `${summary}\n\nNo node is running.`
  const rows = receipt.nodes.map(({ id, how, appliedAfterMs }) => [
    id,
    inWords[how],
    appliedAfterMs === null ? null : duration(appliedAfterMs)
  ])
  return `${summary}\n\n${table(['NODE', 'HOW IT IS KNOWN', 'AFTER'], rows)}`
}
