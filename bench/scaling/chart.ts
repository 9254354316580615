/** A line through a figure for each step. */
export interface Series {
  readonly name: string
  readonly values: readonly number[]
}

export interface Chart {
  readonly title: string
  /** What a reader should take from it, and how it was measured. */
  readonly note: string
  readonly xLabel: string
  /** The steps, from left to right: they stand at equal distances, as a logarithm of 0 does not exist. */
  readonly steps: readonly string[]
  readonly yLabel: string
  readonly series: readonly Series[]
}

const size = { width: 720, height: 340 }
const plot = { left: 84, right: 560, top: 16, bottom: 284 }
const gridLines = 4
const colours = ['#2563eb', '#d97706', '#059669', '#9333ea', '#dc2626', '#0891b2']

/** The chart as an SVG element. */
export function svgOf({ steps, series, xLabel, yLabel, title }: Chart): string {
  const top = niceCeiling(Math.max(0, ...series.flatMap(({ values }) => values.filter(isFinite))))
  const x = (step: number) =>
    plot.left + ((plot.right - plot.left) * (step + 0.5)) / Math.max(1, steps.length)
  const y = (value: number) => plot.bottom - ((plot.bottom - plot.top) * value) / top

  const grid = Array.from({ length: gridLines + 1 }, (_, line) => {
    const value = (top * line) / gridLines
    return (
      `<line class="grid" x1="${plot.left}" x2="${plot.right}" y1="${y(value)}" y2="${y(value)}"/>` +
      `<text x="${plot.left - 8}" y="${y(value) + 4}" text-anchor="end">${figure(value)}</text>`
    )
  })
  const ticks = steps.map(
    (step, index) =>
      `<text x="${x(index)}" y="${plot.bottom + 20}" text-anchor="middle">${escape(step)}</text>`
  )
  const lines = series.map(({ name, values }, index) => {
    const colour = colours[index % colours.length] ?? 'currentColor'
    const points = values.map((value, step) => ({ value, cx: x(step), cy: y(value) }))
    const drawn = points.filter(({ value }) => isFinite(value))
    const marks = drawn.map(
      ({ value, cx, cy }) =>
        `<circle cx="${cx}" cy="${cy}" r="4" fill="${colour}"><title>${escape(name)}: ${figure(value)}</title></circle>`
    )
    const path = drawn.map(({ cx, cy }) => `${cx},${cy}`).join(' ')
    const row = plot.top + 12 + index * 22
    return (
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${marks.join('')}` +
      `<circle cx="${plot.right + 20}" cy="${row - 4}" r="4" fill="${colour}"/>` +
      `<text x="${plot.right + 30}" y="${row}">${escape(name)}</text>`
    )
  })
  const middle = (plot.left + plot.right) / 2
  return (
    `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escape(title)}">` +
    `${grid.join('')}${ticks.join('')}${lines.join('')}` +
    `<text x="${middle}" y="${plot.bottom + 46}" text-anchor="middle">${escape(xLabel)}</text>` +
    `<text class="y" x="${-(plot.top + plot.bottom) / 2}" y="14" transform="rotate(-90)" text-anchor="middle">${escape(yLabel)}</text>` +
    '</svg>'
  )
}

/** A number whose quarters are short to read; 1 where nothing is higher than 0. */
export function niceCeiling(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 1.2, 1.6, 2, 4, 6, 8, 10].find((candidate) => candidate * power >= value) ?? 10
  return step * power
}

export function figure(value: number): string {
  return isFinite(value) ? value.toLocaleString('en', { maximumSignificantDigits: 3 }) : '–'
}

export function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
