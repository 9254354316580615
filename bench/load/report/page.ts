import { escape } from '../../scaling/chart.js'
import type { Figures } from '../driver/measured.js'
import { type LoadReport, type ScenarioReport, type Verdict, verdictOf } from './report.js'
import { style } from './style.js'
import { countsOf, notesOf, rounded } from './table.js'
import { timelineOf } from './timeline.js'

const sentences: Readonly<Record<Verdict, string>> = {
  kept: 'No token was accepted after its revocation had been answered, and none was refused that nobody had revoked.',
  broken: 'What was promised was not kept: see below.',
  unproved: 'This run proves nothing of what it was to show: see below.'
}

/** The report for people: one page that loads nothing. */
export function pageOf(report: LoadReport): string {
  const verdict = verdictOf(report)
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Keycard under load</title>
<style>${style}</style>
<h1>Keycard under load</h1>
<p class="verdict${verdict === 'kept' ? '' : ' bad'}">${sentences[verdict]}</p>
${factsOf(report)}
${report.scenarios.map(sectionOf).join('\n')}
</html>
`
}

function factsOf(report: LoadReport): string {
  const { startedAt, machine, commit, versions, configuration, backends } = report
  const { nodes, mode, connections, users, people, target } = configuration
  const facts: Record<string, string> = {
    Started: startedAt,
    Machine: `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.os}`,
    Versions: `Node ${machine.node}, ${listOf(versions)}`,
    Commit: commit,
    Deployment:
      target === null
        ? `${nodes} ${nodes === 1 ? 'node' : 'nodes'} in mode ${mode}, with a Postgres and a Redis of their own, all on this machine with the load`
        : target.join(', '),
    ...(backends !== null && {
      Postgres: listOf(backends.postgres),
      Redis: listOf(backends.redis)
    }),
    Load: `${connections} connections at first, ${people} of ${users} accounts`
  }
  const rows = Object.entries(facts).map(
    ([name, fact]) => `<dt>${escape(name)}</dt><dd>${escape(fact)}</dd>`
  )
  return `<dl>${rows.join('')}</dl>`
}

const listOf = (facts: Readonly<Record<string, string>>): string =>
  Object.entries(facts)
    .map(([name, fact]) => `${name} ${fact}`)
    .join(', ')

function sectionOf(scenario: ScenarioReport): string {
  const { name, perSecond, durationMs, byRequest } = scenario
  const how = perSecond === null ? 'at saturation' : `open loop, ${perSecond} requests per second`
  const notes = notesOf(scenario).map((note) => `<li>${escape(note)}</li>`)
  return `<section>
<h2>${escape(name)}</h2>
<p class="how">${how}, ${(durationMs / 1_000).toFixed(1)} s</p>
${chartsOf(scenario)}
<div class="scroll"><table>
<tr><th>request</th><th>answers</th><th>per second</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th><th>status</th></tr>
${Object.entries(byRequest).map(rowOf).join('\n')}
</table></div>
<ul>${notes.join('')}</ul>
</section>`
}

function chartsOf({ name, seconds, marks }: ScenarioReport): string {
  const throughput = timelineOf({
    title: `${name}: answers`,
    unit: 'per second',
    lines: [
      { name: 'all', colour: 'blue', values: seconds.map(({ answers }) => answers) },
      { name: 'refused (401)', colour: 'amber', values: seconds.map(({ refusals }) => refusals) },
      { name: 'failed', colour: 'red', values: seconds.map(({ failures }) => failures) }
    ],
    marks
  })
  const latency = timelineOf({
    title: `${name}: latency of each second's answers`,
    unit: 'ms',
    logarithmic: true,
    lines: [
      { name: 'p99', colour: 'amber', values: seconds.map(({ p99Ms }) => p99Ms) },
      { name: 'p50', colour: 'green', values: seconds.map(({ p50Ms }) => p50Ms) }
    ],
    marks
  })
  return `${throughput}\n${latency}`
}

function rowOf([name, figures]: [string, Figures]): string {
  const { answers, perSecond, p50Ms, p90Ms, p99Ms, p999Ms, maxMs, statuses } = figures
  const times = [p50Ms, p90Ms, p99Ms, p999Ms, maxMs].map((time) => `<td>${rounded(time)} ms</td>`)
  return `<tr><td>${escape(name)}</td><td>${answers}</td><td>${perSecond.toFixed(0)}</td>${times.join('')}<td>${countsOf(statuses)}</td></tr>`
}
