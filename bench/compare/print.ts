import { goalLine, type Section, tableOf } from './report.js'

/** For the terminal: columns aligned, figures to the right. */
export function textOf(section: Section): string {
  const table = tableOf(section)
  const widths = table[0]?.map((_, column) =>
    Math.max(...table.map((cells) => cells[column]?.length ?? 0))
  )
  const lines = table.map((cells) =>
    cells
      .map((cell, column) => {
        const width = widths?.[column] ?? 0
        return column === 0 ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
  )
  return [section.title, ...lines, ...section.goals.map(goalLine), ''].join('\n')
}

/** For the README. */
export function markdownOf(section: Section): string {
  const [head = [], ...body] = tableOf(section)
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = head.map((_, column) => (column === 0 ? '---' : '--:'))
  return [`**${section.title}**`, '', line(head), line(rule), ...body.map(line), ''].join('\n')
}
