import { setTimeout as pause } from 'node:timers/promises'
import type { Receipt } from '../revocation/announcer.js'
import type { RevocationService } from '../revocation/revocation.js'
import type { Revocation } from '../revocation/store.js'
import { type BatchParts, look, revokeBatch } from './batch.js'
import type { Moment, Opening } from './cohort.js'
import { insist, isTemporary } from './insist.js'
import { mergeReceipts } from './receipts.js'
import { type Claim, type ClaimedIncident, haveEarlierEnded, noteReceipt } from './store.js'

/** What was locked by others is soon free again. */
const nextPassMs = 50
/** Longer than a transaction of any node can last: Postgres and the node end it before. */
const longestLoginMs = 10_000

export interface CohortRunParts extends BatchParts {
  readonly revocation: Pick<
    RevocationService,
    'recordAll' | 'announce' | 'announceUnconfirmed' | 'findLive'
  >
  readonly momentOf: (opened: Opening) => Moment
  readonly batchSize: number
}

/** Ends the work: somebody stopped the incident, or another worker took it over. */
export class ClaimLost extends Error {
  override name = 'ClaimLost'
}

/**
 * Passes over all sessions, waits for the logins that were under way at the start, and passes again
 * until one pass has found none that is to be hit: what others held, or came to match behind the
 * position, is met by the next one. Then all of it is confirmed.
 *
 * @returns undefined where nothing was hit of which a token is left
 * @throws ClaimLost, and what an aborted signal brings
 */
export async function runCohort(
  parts: CohortRunParts,
  incident: ClaimedIncident,
  {
    claim,
    signal,
    report
  }: { readonly claim: Claim; readonly signal: AbortSignal; readonly report: () => Promise<void> }
): Promise<Receipt | undefined> {
  const { database, revocation, momentOf, batchSize } = parts
  const { target, startedAt, startedXid } = incident
  const opened = { until: startedAt, beforeXid: startedXid }
  let lastHit = incident.position ?? undefined
  let receipt = incident.receiptSoFar ?? undefined

  async function hit(ids: readonly string[]): Promise<void> {
    const batch = await insist(signal, () =>
      revokeBatch(parts, incident, { claim, ids, moment: momentOf(opened) })
    )
    if (batch === undefined) throw new ClaimLost()
    lastHit = batch.at(-1)?.target ?? lastHit
    await confirm(batch)
    await insist(signal, report)
  }

  /** What is not confirmed now is announced again at the end: the sessions must not wait for it. */
  async function confirm([first, ...others]: readonly Revocation[]): Promise<void> {
    if (first === undefined) return
    try {
      const merged = mergeReceipts(receipt, await revocation.announce(first, ...others))
      receipt = merged
      await database.write((db) => noteReceipt(db, claim, merged))
    } catch (error) {
      if (!isTemporary(error)) throw error
    }
  }

  /** @returns how many sessions were found */
  async function pass(start: string | undefined): Promise<number> {
    let found = 0
    let after = start
    do {
      signal.throwIfAborted()
      const from = { after, limit: batchSize }
      const { ids, upTo } = await insist(signal, () =>
        database.read((db) => look(db, target, momentOf(opened), from))
      )
      found += ids.length
      if (ids.length > 0) await hit(ids)
      after = upTo
    } while (after !== undefined)
    return found
  }

  /** For a receipt that was lost with a worker. */
  async function announceAgain(sessionId: string): Promise<Receipt | undefined> {
    const live = await revocation.findLive('session', sessionId)
    return live && (await revocation.announce(live))
  }

  /**
   * Whoever was logging in at the start has a session that could not be seen yet. Other transactions in
   * the cluster may last for hours, and open no session.
   */
  async function untilEarlierEnded(xid: string): Promise<void> {
    const giveUpAt = performance.now() + longestLoginMs
    while (
      performance.now() < giveUpAt &&
      !(await insist(signal, () => database.read((db) => haveEarlierEnded(db, xid))))
    ) {
      await pause(nextPassMs, undefined, { signal })
    }
  }

  await pass(lastHit)
  if (startedXid !== null) await untilEarlierEnded(startedXid)
  while ((await pass(undefined)) > 0) await pause(nextPassMs, undefined, { signal })
  // A worker that died may have left a batch unconfirmed, and so may others who hit the same sessions.
  const rest = await insist(signal, () => revocation.announceUnconfirmed())
  if (rest !== undefined) return mergeReceipts(receipt, rest)
  const last = lastHit
  if (receipt !== undefined || last === undefined) return receipt
  return await insist(signal, () => announceAgain(last))
}
