import type { MemoryReport } from '../servers/process.js'
import type { Chart } from './chart.js'
import { inWords } from './measure.js'

export interface MemoryOf {
  /** What there is more of from step to step. */
  readonly what: string
  readonly xLabel: string
  /** Which of the two figures grows with it. */
  readonly grows: keyof MemoryReport
  /** Says what one more of it takes, in bytes. */
  readonly noteOf: (bytesEach: number) => string
}

/** What a node holds after its garbage was collected, at each of the steps. */
export function memoryChart(
  counts: readonly number[],
  memories: readonly MemoryReport[],
  { what, xLabel, grows, noteOf }: MemoryOf
): Chart {
  const growth = (memories.at(-1)?.[grows] ?? NaN) - (memories[0]?.[grows] ?? NaN)
  const each = growth / ((counts.at(-1) ?? NaN) - (counts[0] ?? NaN))
  return {
    title: `Memory of a node, by ${what}`,
    note: `After collecting garbage. ${noteOf(each)}`,
    xLabel,
    steps: counts.map(inWords),
    yLabel: 'MB',
    series: [
      { name: 'in use', values: memories.map(({ inUse }) => inUse / 1e6) },
      { name: 'resident', values: memories.map(({ resident }) => resident / 1e6) }
    ]
  }
}
