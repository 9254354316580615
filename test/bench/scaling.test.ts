import t from 'tap'
import { type Chart, niceCeiling, svgOf } from '../../bench/scaling/chart.js'
import { mediansOf, ratiosOf } from '../../bench/scaling/measure.js'
import { readOptions } from '../../bench/scaling/options.js'
import { pageOf } from '../../bench/scaling/page.js'

const chart: Chart = {
  title: 'CPU by <revocations>',
  note: 'At a fixed rate.',
  xLabel: 'live revocations',
  steps: ['0', '1,000'],
  yLabel: '×',
  series: [
    { name: 'HS256', values: [1, 1.02] },
    { name: 'EdDSA', values: [1, NaN] }
  ]
}

t.test('a chart has a point for every figure, and none where there is no figure', async (t) => {
  const svg = svgOf(chart)
  t.equal(svg.match(/<title>/g)?.length, 3)
  t.notMatch(svg, 'NaN')
})

t.test('a page loads nothing, and its texts are texts', async (t) => {
  const page = pageOf('How it scales', 'npm run <it>', [chart])
  t.notMatch(page, /src=|href=|@import|url\(|<revocations>|<it>/)
  t.match(page, '<td>1.02</td>')
})

t.test('an axis ends at a round number above all figures', async (t) => {
  t.equal(niceCeiling(1.02), 1.2)
  t.equal(niceCeiling(437), 600)
  t.equal(niceCeiling(0), 1)
})

t.test('figures go step by step, as ratios to the first one', async (t) => {
  const rounds = new Map([
    ['0', [{ cpuUs: 10 }, { cpuUs: 20 }, { cpuUs: 30 }]],
    ['1,000', [{ cpuUs: 11 }, { cpuUs: 22 }, { cpuUs: 36 }]]
  ])
  t.same(mediansOf(rounds, ['0', '1,000'], 'cpuUs'), [20, 22])
  t.same(ratiosOf(rounds, ['0', '1,000'], 'cpuUs'), [1, 1.1])
})

t.test('steps that can not be are refused', async (t) => {
  t.same(readOptions(['--revocations', '0,10']).revocations, [0, 10])
  t.throws(() => readOptions(['--accounts', '0']), /--accounts takes whole numbers from 1/)
  t.throws(() => readOptions(['--only', 'memory']), /--only knows processes/)
})
