import { escape } from '../../scaling/chart.js'
import type { Figures } from '../driver/measured.js'
import { isSound, type LoadReport, type ScenarioReport } from './report.js'
import { notesOf, rounded } from './table.js'
import { timelineOf } from './timeline.js'

const style = `
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; --mark: #dc2626 }
  body { max-width: 820px; margin: 2rem auto; padding: 0 1rem }
  h1 { margin-bottom: .2rem }
  section { margin: 3rem 0 }
  svg { width: 100%; height: auto; display: block; margin: 1rem 0 }
  svg text { font-size: 12px; fill: currentColor }
  .grid { stroke: currentColor; stroke-opacity: .15 }
  .mark { stroke: var(--mark); stroke-dasharray: 4 3 }
  svg .mark-label { fill: var(--mark) }
  .scroll { overflow-x: auto }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
  th, td { padding: .25rem .6rem; text-align: right; border-bottom: 1px solid #8884; white-space: nowrap }
  th:first-child, td:first-child { text-align: left }
  .verdict { font-weight: 600; color: #059669 }
  .verdict.bad { color: #dc2626 }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; opacity: .85 }
  dd { margin: 0 }
`

/** The report for people: one page that loads nothing. */
export function pageOf(report: LoadReport): string {
  const sound = isSound(report)
  const verdict = sound
    ? 'No token was accepted after its revocation had been answered.'
    : 'Revoked tokens were accepted: see below.'
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Keycard under load</title>
<style>${style}</style>
<h1>Keycard under load</h1>
<p class="verdict${sound ? '' : ' bad'}">${verdict}</p>
${factsOf(report)}
${report.scenarios.map(sectionOf).join('\n')}
</html>
`
}

function factsOf({ startedAt, machine, commit, versions, configuration }: LoadReport): string {
  const { nodes, mode, connections, users, people, target } = configuration
  const facts: Record<string, string> = {
    Started: startedAt,
    Machine: `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.os}`,
    Versions: [
      `Node ${machine.node}`,
      ...Object.entries(versions).map(([name, version]) => `${name} ${version}`)
    ].join(', '),
    Commit: commit,
    Deployment:
      target === null
        ? `${nodes} ${nodes === 1 ? 'node' : 'nodes'} in mode ${mode}, with a Postgres (fsync on) and a Redis of their own, all on this machine with the load`
        : target.join(', '),
    Load: `${connections} connections, ${people} of ${users} accounts`
  }
  const rows = Object.entries(facts).map(
    ([name, fact]) => `<dt>${escape(name)}</dt><dd>${escape(fact)}</dd>`
  )
  return `<dl>${rows.join('')}</dl>`
}

function sectionOf(scenario: ScenarioReport): string {
  const { name, perSecond, seconds, marks, byRequest } = scenario
  const how = perSecond === null ? 'at saturation' : `open loop, ${perSecond} requests per second`
  const throughput = timelineOf({
    title: `${name}: answers per second`,
    unit: '1/s',
    lines: [
      { name: 'answers', colour: '#2563eb', values: seconds.map(({ answers }) => answers) },
      { name: 'failures', colour: '#dc2626', values: seconds.map(({ failures }) => failures) }
    ],
    marks
  })
  const latency = timelineOf({
    title: `${name}: latency`,
    unit: 'ms',
    lines: [
      { name: 'p99', colour: '#d97706', values: seconds.map(({ p99Ms }) => p99Ms) },
      { name: 'p50', colour: '#059669', values: seconds.map(({ p50Ms }) => p50Ms) }
    ],
    marks
  })
  const notes = notesOf(scenario).map((note) => `<li>${escape(note)}</li>`)
  return `<section>
<h2>${escape(name)}</h2>
<p>${how}</p>
${throughput}
${latency}
<div class="scroll"><table>
<tr><th>request</th><th>answers</th><th>per second</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th><th>max</th></tr>
${Object.entries(byRequest).map(rowOf).join('\n')}
</table></div>
<ul>${notes.join('')}</ul>
</section>`
}

function rowOf([name, figures]: [string, Figures]): string {
  const { answers, perSecond, p50Ms, p90Ms, p99Ms, p999Ms, maxMs } = figures
  const times = [p50Ms, p90Ms, p99Ms, p999Ms, maxMs].map((time) => `<td>${rounded(time)} ms</td>`)
  return `<tr><td>${escape(name)}</td><td>${answers}</td><td>${perSecond.toFixed(0)}</td>${times.join('')}</tr>`
}
