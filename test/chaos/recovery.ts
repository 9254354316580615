import type { Violation } from './checker.js'
import { counts } from './counts.js'
import { type History, isSuccess, overlap, resultOf, type Span } from './history.js'

/**
 * Where the faults were over for `withinMs` and a node did not accept a single token in that time. A
 * calm that the next fault ended sooner says nothing about a node that was not ready yet.
 */
export function missingRecoveries(history: History, withinMs: number): Violation[] {
  const accepted = history.calls.filter((call) => call.kind === 'visit' && isSuccess(call))
  return calms(history).flatMap((calm) =>
    Array.from({ length: history.nodes }, (_, node) => node).flatMap((node) => {
      const end = calm.start + withinMs
      const isBack = accepted.some(
        (call) => call.node === node && call.start >= calm.start && call.end <= end
      )
      if (isBack || calm.end < end) return []
      const visits = history.calls.filter(
        (call) => call.kind === 'visit' && call.node === node && overlap(call, calm)
      )
      const detail = `node ${node} accepted nothing within ${withinMs} ms of the end of the faults: ${counts(visits.map(resultOf))}`
      return [{ rule: 'no recovery', detail, start: calm.start, end } as const]
    })
  )
}

/** The times between faults, from the first one's end on. */
function calms({ faults, end }: History): Span[] {
  const calms: Span[] = []
  let over: number | undefined
  for (const fault of [...faults].sort((one, other) => one.start - other.start)) {
    if (over !== undefined && fault.start > over) calms.push({ start: over, end: fault.start })
    over = Math.max(over ?? 0, fault.end)
  }
  if (over !== undefined) calms.push({ start: over, end })
  return calms
}
