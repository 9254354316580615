import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { cpuOf } from '../../bench/compare/cpu.js'
import { judge } from '../../bench/compare/everyone.js'
import { readOptions } from '../../bench/compare/options.js'
import { markdownOf, textOf } from '../../bench/compare/print.js'
import { refreshing } from '../../bench/compare/refresh.js'
import {
  isReached,
  rowsOf,
  type RoundsByName,
  type Section,
  timesOf
} from '../../bench/compare/report.js'
import { openReport, type Report } from '../../bench/compare/report-file.js'
import { inRounds } from '../../bench/compare/rounds.js'
import { median, orderOfRound, quantile, ratioOfRounds } from '../../bench/compare/statistics.js'

const columns = [{ key: 'cpuUs', label: 'CPU', digits: 1, ratio: true }] as const

const rounds: RoundsByName = new Map([
  ['bare', [{ cpuUs: 10 }, { cpuUs: 20 }, { cpuUs: 40 }]],
  ['guarded', [{ cpuUs: 11 }, { cpuUs: 24 }, { cpuUs: 40 }]]
])

const section: Section = {
  id: 'verify',
  title: 'A protected request',
  baseline: 'bare',
  columns,
  rows: rowsOf(columns, rounds, 'bare'),
  goals: [{ what: 'CPU', bound: 'at most', wanted: 1.05, measured: 1.1 }]
}

t.test('the median is the middle one, or between the two in the middle', async (t) => {
  t.equal(median([9, 1, 5]), 5)
  t.equal(median([1, 3, 2, 10]), 2.5)
  t.ok(Number.isNaN(median([])))
})

t.test('a quantile is the smallest one that covers its share', async (t) => {
  const numbers = Array.from({ length: 25 }, (_, index) => 25 - index)
  t.equal(quantile(numbers, 0.99), 25)
  t.equal(quantile(numbers, 0.5), 13)
  t.equal(quantile([7], 0.01), 7)
})

t.test('a ratio compares within each round, whatever the machine did between rounds', async (t) => {
  t.equal(ratioOfRounds([11, 240, 33], [10, 200, 30]), 1.1)
  t.equal(timesOf(rounds, 'cpuUs', 'guarded', 'bare'), 1.1)
})

t.test('everybody has a turn in every round, and others are first', async (t) => {
  const all = ['a', 'b', 'c']
  const orders = Array.from({ length: 6 }, (_, round) => orderOfRound(all, round))
  for (const order of orders) t.same(order.toSorted(), all)
  t.same(new Set(orders.map(([first]) => first)), new Set(all))
  t.same(orderOfRound([], 3), [])

  const turns: string[] = []
  const sizes: number[] = []
  await inRounds({
    contenders: all.map((name) => ({ name })),
    rounds: 2,
    measure: async ({ name }) => ({ turn: turns.push(name) }),
    onSample: () => undefined,
    onRound: async (sofar) => {
      sizes.push(sofar.get('b')?.length ?? 0)
    }
  })
  t.same(turns, ['a', 'b', 'c', 'c', 'b', 'a'])
  t.same(sizes, [1, 2])
})

t.test('rows hold medians, ratios and the rounds that they are of', async (t) => {
  const [bare, guarded] = section.rows
  t.match(bare, { name: 'bare', medians: { cpuUs: 20 }, ratios: { cpuUs: 1 } })
  t.match(guarded, { name: 'guarded', medians: { cpuUs: 24 }, ratios: { cpuUs: 1.1 } })
  t.equal(guarded?.rounds.length, 3)
})

t.test('tables show the same for people and for the README', async (t) => {
  t.match(textOf(section), /guarded +24\.0 +1\.10\nMISSED: CPU: 1\.100, wanted at most 1\.05/)
  t.match(markdownOf(section), '| guarded | 24.0 | 1.10 |')
})

t.test('a goal is reached at its bound', async (t) => {
  const goal = { what: 'accepted', wanted: 0, measured: 0 }
  t.ok(isReached({ ...goal, bound: 'at most' }))
  t.notOk(isReached({ ...goal, bound: 'at most', measured: 1 }))
  t.ok(isReached({ ...goal, bound: 'at least' }))
  t.notOk(isReached({ ...goal, bound: 'at least', measured: NaN }))
})

t.test('a report is whole after every round', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'keycard-bench-'))
  t.teardown(() => rm(folder, { recursive: true }))
  const file = join(folder, 'results', 'compare.json')
  const machine = {
    ...{ cpu: 'one', cores: 2, memoryGb: 4, system: 'linux' },
    ...{ versions: { node: 'v22' }, commit: 'abc' }
  }
  const head = { startedAt: '2026-01-01T00:00:00.000Z', command: 'bench', machine, options: {} }
  const report = openReport(file, head)
  await report.keep({ ...section, rows: [] })
  await report.keep({ ...section, id: 'other' })
  await report.keep(section)
  const written = JSON.parse(await readFile(file, 'utf8')) as Report
  t.match(written, head)
  t.same(
    written.sections.map(({ id, rows }) => [id, rows.length]),
    [
      ['verify', 2],
      ['other', 2]
    ]
  )
  t.match(await readFile(join(folder, 'results', 'compare.md'), 'utf8'), '| guarded |')
})

t.test('an old token that was sent after the answer and accepted is found', async (t) => {
  const result = { askedAtMs: 100, answeredAtMs: 110 }
  const refused = [
    { sentMs: 50, answeredMs: 60, port: 1 },
    { sentMs: 104, answeredMs: 112, port: 2 },
    { sentMs: 111, answeredMs: 113, port: 1 }
  ]
  t.same(judge({ acceptedSentMs: [90, 109], refused, others: 2 }, result, [1]), {
    ...{
      answerMs: 10,
      lastAcceptedMs: 1,
      acceptedAfter: 0,
      refusedAfter: 1,
      refusedNew: 1,
      others: 2
    }
  })
  t.equal(judge({ acceptedSentMs: [110.5], refused, others: 0 }, result, [1, 2]).acceptedAfter, 1)
  t.throws(
    () => judge({ acceptedSentMs: [90], refused, others: 5 }, result, [1, 2]),
    { message: /nodes on 2 refuse/ },
    'one that answered nothing has proved nothing'
  )
})

t.test('each session is refreshed with the token of its last answer', async (t) => {
  const next = refreshing(['one', 'two'])
  const answer = { target: { host: '', port: 0 }, dueAt: 0, sentAt: 0, receivedAt: 0 }
  for (const token of ['one', 'two', 'three']) {
    const planned = next()
    t.match(planned?.request.toString(), `{"refreshToken":"${token}"}`)
    planned?.onAnswer?.({ ...answer, status: 200, body: '{"refreshToken":"three"}' })
  }
})

t.test('options that can not be are refused', async (t) => {
  t.match(readOptions(['--only', 'login,refresh', '--rates', '10']), {
    only: ['login', 'refresh'],
    rounds: 5,
    rates: [10]
  })
  t.throws(() => readOptions(['--only', 'logins']), /--only knows verify-open/)
  t.throws(() => readOptions(['--rounds', '0']), /--rounds must be a number above 0/)
})

t.test('the CPU time of a process is that which it used, where there is /proc', async (t) => {
  if (process.platform !== 'linux') {
    t.throws(() => cpuOf([process.pid]))
    return
  }
  const before = cpuOf([process.pid])
  const own = process.cpuUsage()
  while (process.cpuUsage(own).user < 100_000);
  const used = cpuOf([process.pid]) - before
  t.ok(used >= 90_000, `${used} µs`)
})
