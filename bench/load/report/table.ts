import type { Figures } from '../driver/measured.js'
import type { ScenarioReport } from './report.js'

/** The figures of a scenario, for a terminal. */
export function tableOf(scenario: ScenarioReport): string {
  const head = ['request', 'answers', 'per second', 'p50', 'p90', 'p99', 'p99.9', 'max', 'status']
  const rows = Object.entries(scenario.byRequest).map(([name, figures]) => rowOf(name, figures))
  return [aligned([head, ...rows]), ...notesOf(scenario)].join('\n')
}

function rowOf(name: string, figures: Figures): string[] {
  const { answers, perSecond, p50Ms, p90Ms, p99Ms, p999Ms, maxMs, statuses } = figures
  const times = [p50Ms, p90Ms, p99Ms, p999Ms, maxMs].map((time) => `${rounded(time)} ms`)
  return [name, String(answers), perSecond.toFixed(0), ...times, countsOf(statuses)]
}

/** How many answers had which status. */
export function countsOf(statuses: Figures['statuses']): string {
  return Object.entries(statuses)
    .map(([status, count]) => (status === '0' ? `${count} broke off` : `${count} × ${status}`))
    .join(', ')
}

/** What there is to say besides the answers, each in a line. */
export function notesOf(scenario: ScenarioReport): string[] {
  const { cpuPerAnswerUs: cpu, clientBusy, findings, dropped } = scenario
  const { violations, unjustRefusals, unproved } = scenario
  return [
    ...(cpu === null
      ? []
      : [
          `CPU per answer: Keycard ${rounded(cpu.server)} µs, Redis ${rounded(cpu.redis)} µs, Postgres ${rounded(cpu.postgres)} µs`
        ]),
    `client busy: ${(clientBusy * 100).toFixed(0)} % of the time${clientBusy > 0.8 ? ', so these may be the limits of the client' : ''}`,
    ...Object.entries(findings).map(([name, figure]) => `${name}: ${rounded(figure)}`),
    ...(dropped === 0 ? [] : [`${dropped} requests were due and could not be sent`]),
    ...unproved.map((sentence) => `UNPROVED: ${sentence}`),
    ...(unjustRefusals === 0
      ? []
      : [`VIOLATED: ${unjustRefusals} tokens were refused as revoked that nobody had revoked`]),
    ...(violations.length === 0
      ? []
      : [
          `VIOLATED: ${violations.length} revoked tokens were accepted, sent up to ${rounded(Math.max(...violations.map(({ sentAfterMs }) => sentAfterMs)))} ms after the answer`
        ])
  ]
}

export function rounded(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return '–'
  return value.toLocaleString('en', { maximumSignificantDigits: 3, useGrouping: value >= 10_000 })
}

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  )
  const last = widths.length - 1
  return rows
    .map((row) =>
      row
        .map((cell, column) => {
          const width = widths[column] ?? 0
          if (column === 0 || column === last) return cell.padEnd(width)
          return cell.padStart(width)
        })
        .join('  ')
        .trimEnd()
    )
    .join('\n')
}
