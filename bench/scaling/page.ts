import { type Chart, escape, figure, svgOf } from './chart.js'

const style = `
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
  body { max-width: 760px; margin: 2rem auto; padding: 0 1rem }
  figure { margin: 2.5rem 0 }
  svg { width: 100%; height: auto }
  svg text { font-size: 12px; fill: currentColor }
  .grid { stroke: currentColor; stroke-opacity: .15 }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
  th, td { padding: .2rem .6rem; text-align: right; border-bottom: 1px solid #8884 }
  th:first-child, td:first-child { text-align: left }
  p, small { opacity: .8 }
`

/** One page for all charts, each with its figures as a table. It loads nothing. */
export function pageOf(title: string, about: string, charts: readonly Chart[]): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>${style}</style>
<h1>${escape(title)}</h1>
<p>${escape(about)}</p>
${charts.map(figureOf).join('\n')}
</html>
`
}

function figureOf(chart: Chart): string {
  const head = ['', ...chart.steps].map((cell) => `<th>${escape(cell)}</th>`).join('')
  const rows = chart.series.map(({ name, values }) => {
    const cells = values.map((value) => `<td>${figure(value)}</td>`).join('')
    return `<tr><td>${escape(name)}</td>${cells}</tr>`
  })
  return `<figure>
<h2>${escape(chart.title)}</h2>
<p>${escape(chart.note)}</p>
${svgOf(chart)}
<table><tr>${head}</tr>${rows.join('')}</table>
</figure>`
}
