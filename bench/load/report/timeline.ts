import { escape, figure, niceCeiling } from '../../scaling/chart.js'
import type { Mark } from './report.js'

export interface Line {
  readonly name: string
  readonly colour: string
  /** One for each second. */
  readonly values: readonly number[]
}

export interface Timeline {
  readonly title: string
  readonly unit: string
  readonly lines: readonly Line[]
  readonly marks: readonly Mark[]
}

const size = { width: 760, height: 260 }
const plot = { left: 64, right: 744, top: 34, bottom: 216 }
const gridLines = 4
const mostTicks = 10

/** Figures over the seconds of a run, with a dashed line for everything that was done to it. */
export function timelineOf({ title, unit, lines, marks }: Timeline): string {
  const length = Math.max(1, ...lines.map(({ values }) => values.length))
  const top = niceCeiling(Math.max(0, ...lines.flatMap(({ values }) => values)))
  const x = (second: number) => plot.left + ((plot.right - plot.left) * second) / length
  const y = (value: number) => plot.bottom - ((plot.bottom - plot.top) * value) / top
  const tickEvery = Math.max(1, Math.ceil(length / mostTicks))

  const grid = Array.from({ length: gridLines + 1 }, (_, line) => {
    const value = (top * line) / gridLines
    return (
      `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${y(value)}" y2="${y(value)}"/>` +
      `<text x="${plot.left - 8}" y="${y(value) + 4}" text-anchor="end">${figure(value)}</text>`
    )
  })
  const ticks = Array.from({ length: Math.floor(length / tickEvery) + 1 }, (_, tick) => {
    const second = tick * tickEvery
    return `<text x="${x(second)}" y="${plot.bottom + 18}" text-anchor="middle">${second} s</text>`
  })
  const drawn = lines.map(({ name, colour, values }) => {
    const points = values.map((value, second) => `${x(second + 0.5)},${y(value)}`).join(' ')
    return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="2"><title>${escape(name)}</title></polyline>`
  })
  const flags = marks.map(({ atSecond, label }, index) => {
    // Those that are close together stand below each other.
    const row = plot.top + 12 + (index % 3) * 15
    return (
      `<line class="mark" x1="${x(atSecond)}" x2="${x(atSecond)}" y1="${plot.top}" y2="${plot.bottom}"/>` +
      `<text class="mark-label" x="${x(atSecond) + 5}" y="${row}">${escape(label)}</text>`
    )
  })
  const legend = lines.map(
    ({ name, colour }, index) =>
      `<circle cx="${plot.left + 6 + index * 130}" cy="14" r="4" fill="${colour}"/>` +
      `<text x="${plot.left + 16 + index * 130}" y="18">${escape(name)}</text>`
  )
  return (
    `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escape(title)}">` +
    `${grid.join('')}${ticks.join('')}${drawn.join('')}${flags.join('')}${legend.join('')}` +
    `<text x="${plot.left - 56}" y="18">${escape(unit)}</text></svg>`
  )
}
