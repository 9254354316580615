import { counts } from './counts.js'
import { groupBy } from './group-by.js'
import type { Report } from './harness.js'
import { type Call, type History, isSuccess, resultOf } from './history.js'

/** What happened in a run, in lines to be read by people. */
export function summarise({ seed, history, violations }: Report): string[] {
  const seconds = Math.round((history.end - (history.calls[0]?.start ?? history.end)) / 1_000)
  return [
    `seed ${seed}: ${history.calls.length} calls in ${seconds} s, ${violations.length} violations`,
    ...callLines(history),
    ...revocationLines(history),
    ...faultLines(history),
    ...silenceLines(history)
  ]
}

function callLines({ calls }: History): string[] {
  const kinds = groupBy(calls, ({ kind }) => kind)
  return [...kinds].map(([kind, all]) => `${kind}: ${counts(all.map(resultOf))}`)
}

function revocationLines({ calls }: History): string[] {
  const revocations = calls.filter((call) => call.kind === 'revocation')
  const routes = groupBy(revocations, ({ scope, route }) => `${scope} by ${route}`)
  return [...routes].map(([route, all]) => {
    const times = all.filter(isSuccess).map(({ start, end }) => end - start)
    const figures = `; of those confirmed p50 ${at(times, 0.5)} ms, p99 ${at(times, 0.99)} ms`
    return `  ${route}: ${counts(all.map(resultOf))}${times.length > 0 ? figures : ''}`
  })
}

function faultLines({ faults }: History): string[] {
  const kinds = faults.map(({ name }) => name.split(',')[0] ?? name)
  return [`faults: ${counts(kinds)}`]
}

/** 503s while nothing was wrong are allowed, but they should be few. */
function silenceLines({ calls, faults }: History): string[] {
  const afterwardsMs = 5_000
  const isCalm = (call: Call): boolean =>
    !faults.some(({ start, end }) => call.start < end + afterwardsMs && call.end > start)
  const silent = calls.filter((call) => resultOf(call) === 'DEPENDENCY_UNAVAILABLE' && isCalm(call))
  return [`503 later than ${afterwardsMs} ms after a fault: ${silent.length}`]
}

function at(times: readonly number[], share: number): string {
  const sorted = [...times].sort((one, other) => one - other)
  return (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toFixed(0)
}
