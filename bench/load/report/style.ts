/** Of the page, in light and in dark. */
export const style = `
  :root {
    color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif;
    --paper: #fff; --ink: #1f2937; --quiet: #6b7280; --rule: #e5e7eb;
    --blue: #2563eb; --green: #059669; --amber: #b45309; --red: #dc2626
  }
  @media (prefers-color-scheme: dark) {
    :root {
      --paper: #111827; --ink: #e5e7eb; --quiet: #9ca3af; --rule: #374151;
      --blue: #60a5fa; --green: #34d399; --amber: #fbbf24; --red: #f87171
    }
  }
  body { max-width: 920px; margin: 2rem auto; padding: 0 1rem; color: var(--ink); background: var(--paper) }
  h1 { margin-bottom: .2rem }
  h2 { margin-bottom: 0 }
  section { margin: 3rem 0 }
  .how { color: var(--quiet); margin-top: 0 }
  svg { width: 100%; height: auto; display: block; margin: 1.2rem 0 }
  svg text { font-size: 12px; fill: var(--quiet) }
  svg .title { font-size: 13px; font-weight: 600; fill: var(--ink) }
  svg polyline { fill: none; stroke-width: 2 }
  .blue { stroke: var(--blue); fill: var(--blue) }
  .green { stroke: var(--green); fill: var(--green) }
  .amber { stroke: var(--amber); fill: var(--amber) }
  .red { stroke: var(--red); fill: var(--red) }
  .grid { stroke: var(--rule) }
  .mark { stroke: var(--red); stroke-dasharray: 4 3 }
  svg .mark-label { fill: var(--red); paint-order: stroke; stroke: var(--paper); stroke-width: 4px }
  .scroll { overflow-x: auto }
  table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
  th, td { padding: .25rem .5rem; text-align: right; border-bottom: 1px solid var(--rule); white-space: nowrap }
  th:first-child, td:first-child, th:last-child, td:last-child { text-align: left }
  td:last-child { white-space: normal }
  .verdict { font-weight: 600; color: var(--green) }
  .verdict.bad { color: var(--red) }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem }
  dt { color: var(--quiet) }
  dd { margin: 0; overflow-wrap: anywhere }
`
