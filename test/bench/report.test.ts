import t from 'tap'
import { figuresOf, newHistogram, type Second } from '../../bench/load/driver/measured.js'
import { readOptions } from '../../bench/load/options.js'
import { pageOf } from '../../bench/load/report/page.js'
import {
  describeMachine,
  describeVersions,
  type LoadReport,
  type ScenarioReport,
  verdictOf
} from '../../bench/load/report/report.js'
import { tableOf } from '../../bench/load/report/table.js'

const second = (index: number, p50Ms: number): Second => ({
  ...{ second: index, answers: 100, failures: 0, refusals: 0, p50Ms },
  p99Ms: p50Ms * 100
})

function scenario(more: Partial<ScenarioReport> = {}): ScenarioReport {
  const histogram = newHistogram()
  for (let ms = 1; ms <= 100; ms++) histogram.recordValue(ms * 1_000)
  const statuses = new Map([
    [200, 99],
    [0, 1]
  ])
  const figures = figuresOf({ histogram, statuses }, 2_000)
  return {
    name: 'everyone',
    perSecond: 50,
    durationMs: 2_000,
    all: figures,
    byRequest: { verify: figures },
    seconds: [second(0, 0.5), second(1, 0)],
    marks: [{ atSecond: 1.9, label: 'everyone: <answered>' }],
    cpuPerAnswerUs: { server: 100, redis: 2, postgres: 3 },
    clientBusy: 0.1,
    findings: { 'answer (ms)': 12.3456, 'all back after (s)': null },
    dropped: 0,
    violations: [],
    unjustRefusals: 0,
    unproved: [],
    ...more
  }
}

function report(...scenarios: ScenarioReport[]): LoadReport {
  return {
    startedAt: '2026-01-01T00:00:00.000Z',
    machine: { cpu: '<cpu>', cores: 2, memoryGiB: 1, os: 'x', node: 'v20' },
    commit: 'abc',
    versions: { fastify: '5' },
    configuration,
    backends: { postgres: { fsync: 'on' }, redis: { version: '7' } },
    scenarios
  }
}

const options = readOptions([])
if (options === undefined) throw new Error('No options')
const { out: _, ...configured } = options
const configuration = { ...configured, target: null }

t.test('the figures are those of the histogram, in milliseconds', async (t) => {
  const { all } = scenario()
  t.equal(all.answers, 100)
  t.equal(all.perSecond, 50)
  t.ok(Math.abs(all.p50Ms - 50) < 0.1 && Math.abs(all.p99Ms - 99) < 0.1)
  t.ok(Math.abs(all.maxMs - 100) < 0.1)
  t.same(all.statuses, { 0: 1, 200: 99 })
})

t.test('a promise is kept only where that was seen, and nothing else', async (t) => {
  const violated = scenario({ violations: [{ what: 'verify', sentAfterMs: 3.2 }] })
  const unjust = scenario({ unjustRefusals: 1 })
  const mute = scenario({ unproved: ['no revoked access token was refused'] })
  t.equal(verdictOf(report(scenario(), scenario())), 'kept')
  t.equal(verdictOf(report(mute, violated)), 'broken')
  t.equal(verdictOf(report(unjust, scenario())), 'broken')
  t.equal(verdictOf(report(scenario(), mute)), 'unproved')
  t.match(tableOf(mute), 'UNPROVED: no revoked access token was refused')
  t.match(pageOf(report(mute)), /class="verdict bad">This run proves nothing/)
  t.match(tableOf(violated), /VIOLATED: 1 revoked tokens were accepted, sent up to 3.2 ms after/)
  t.match(tableOf(unjust), /VIOLATED: 1 tokens were refused/)
  t.match(pageOf(report(violated)), 'class="verdict bad"')
  t.notMatch(pageOf(report(scenario())), 'class="verdict bad"')
})

t.test('the page is whole in itself, and shows what there is', async (t) => {
  const page = pageOf(report(scenario()))
  t.notMatch(page, /NaN|undefined|Infinity|null|<script|<link|<img|https?:/)
  for (const part of [
    '&lt;cpu&gt;',
    'fsync on',
    'everyone: &lt;answered&gt;',
    'CPU per answer: Keycard 100 µs, Redis 2 µs, Postgres 3 µs',
    '99 × 200',
    '1 broke off',
    'all back after (s): –'
  ]) {
    t.match(page, part)
  }
})

t.test('what was never sent, and a client at its limits, are told', async (t) => {
  const told = tableOf(scenario({ dropped: 5, clientBusy: 0.95 }))
  t.match(told, '5 requests were due')
  t.match(told, 'limits of the client')
})

t.test('a report survives JSON, and knows the machine and what was installed', async (t) => {
  const whole = { ...report(scenario()), machine: describeMachine(), versions: describeVersions() }
  t.same(JSON.parse(JSON.stringify(whole)), whole)
  t.equal(whole.machine.node, process.version)
  t.match(whole.versions, { fastify: /^5\./, argon2: /^\d/ })
})
