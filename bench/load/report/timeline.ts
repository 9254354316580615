import { escape, figure, niceCeiling } from '../../scaling/chart.js'
import type { Mark } from './report.js'

export interface Line {
  readonly name: string
  /** A class of the page's style. */
  readonly colour: string
  /** One for each second. */
  readonly values: readonly number[]
}

export interface Timeline {
  readonly title: string
  readonly unit: string
  /** Whether each line of the grid is ten times the one below: for figures that differ by magnitudes. */
  readonly logarithmic?: boolean
  readonly lines: readonly Line[]
  readonly marks: readonly Mark[]
}

interface Scale {
  readonly grid: readonly number[]
  /** From 0 at the bottom to 1 at the top. */
  readonly height: (value: number) => number
}

const size = { width: 760, height: 280 }
const plot = { left: 64, right: 744, top: 58, bottom: 240 }
const gridLines = 4
const mostTicks = 10
/** With more seconds than that, they would be all that is seen. */
const mostDots = 120
/** What a letter takes at most, to keep labels inside. */
const letterWidth = 7

/** Figures over the seconds of a run, with a dashed line for everything that was done to it. */
export function timelineOf({ title, unit, logarithmic, lines, marks }: Timeline): string {
  const length = Math.max(1, ...lines.map(({ values }) => values.length))
  const all = lines.flatMap(({ values }) => values)
  const { grid, height } = logarithmic === true ? logarithmicScale(all) : linearScale(all)
  const x = (second: number) => round(plot.left + ((plot.right - plot.left) * second) / length)
  const y = (value: number) => round(plot.bottom - (plot.bottom - plot.top) * height(value))

  const drawnGrid = grid.map(
    (value) =>
      `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${y(value)}" y2="${y(value)}"/>` +
      `<text x="${plot.left - 8}" y="${y(value) + 4}" text-anchor="end">${figure(value)}</text>`
  )
  const tickEvery = Math.max(1, Math.ceil(length / mostTicks))
  const ticks = Array.from({ length: Math.floor(length / tickEvery) + 1 }, (_, tick) => {
    const second = tick * tickEvery
    return `<text x="${x(second)}" y="${plot.bottom + 18}" text-anchor="middle">${second} s</text>`
  })
  const drawnLines = lines.map(({ name, colour, values }) => {
    const points = values.map((value, second) => `${x(second + 0.5)},${y(value)}`)
    const dots = (values.length > mostDots ? [] : values).map(
      (value, second) =>
        `<circle cx="${x(second + 0.5)}" cy="${y(value)}" r="3"><title>${escape(name)}, ${second} to ${second + 1} s: ${figure(value)} ${escape(unit)}</title></circle>`
    )
    return `<g class="${colour}"><polyline points="${points.join(' ')}"/>${dots.join('')}</g>`
  })
  const flags = marks.map(({ atSecond, label }, index) => {
    const at = x(Math.min(atSecond, length))
    const isLate = at + label.length * letterWidth > plot.right
    // Those that are close together stand below each other.
    const row = plot.top + 12 + (index % 4) * 15
    return (
      `<line class="mark" x1="${at}" x2="${at}" y1="${plot.top}" y2="${plot.bottom}"/>` +
      `<text class="mark-label" x="${at + (isLate ? -5 : 5)}" y="${row}" text-anchor="${isLate ? 'end' : 'start'}">${escape(label)}</text>`
    )
  })
  const legend = lines.map(
    ({ name, colour }, index) =>
      `<g class="${colour}"><circle cx="${plot.left + 6 + index * 110}" cy="38" r="4"/></g>` +
      `<text x="${plot.left + 16 + index * 110}" y="42">${escape(name)}</text>`
  )
  return (
    `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escape(title)}">` +
    `<text class="title" x="${plot.left}" y="16">${escape(title)} (${escape(unit)})</text>` +
    [...drawnGrid, ...ticks, ...drawnLines, ...flags, ...legend].join('') +
    '</svg>'
  )
}

function linearScale(values: readonly number[]): Scale {
  const top = niceCeiling(Math.max(0, ...values))
  return {
    grid: Array.from({ length: gridLines + 1 }, (_, line) => (top * line) / gridLines),
    height: (value) => value / top
  }
}

/** Values of 0, in seconds without an answer, lie on the bottom. */
function logarithmicScale(values: readonly number[]): Scale {
  const positive = values.filter((value) => value > 0)
  const first = Math.floor(Math.log10(Math.min(1, ...positive)))
  const last = Math.max(first + 1, Math.ceil(Math.log10(Math.max(1, ...positive))))
  return {
    grid: Array.from({ length: last - first + 1 }, (_, step) => 10 ** (first + step)),
    height: (value) => (value > 0 ? (Math.log10(value) - first) / (last - first) : 0)
  }
}

const round = (coordinate: number): number => Math.round(coordinate * 10) / 10
