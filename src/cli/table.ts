type Cell = string | number | null | undefined

const gap = '  '

/** Columns for people, each as wide as it must be. What is missing is a dash. */
export function table(head: readonly Cell[], rows: readonly (readonly Cell[])[]): string {
  const cells = [head, ...rows].map((row) => row.map(textOf))
  const widths = head.map((_, column) =>
    Math.max(...cells.map((row) => displayWidth(row[column] ?? '')))
  )
  return cells.map((row) => line(row, widths)).join('\n')
}

/** Names and values, one pair a line. */
export function fields(pairs: Readonly<Record<string, Cell>>): string {
  const width = Math.max(...Object.keys(pairs).map((name) => name.length))
  return Object.entries(pairs)
    .map(([name, value]) => `${name.padEnd(width)}${gap}${textOf(value)}`)
    .join('\n')
}

function line(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - displayWidth(cell)))
    .join(gap)
    .trimEnd()
}

/** Names and user agents come from outside: nothing of theirs may move the cursor. */
function textOf(cell: Cell): string {
  if (cell === null || cell === undefined || cell === '') return '-'
  return String(cell).replaceAll(/\p{C}/gu, '\u{fffd}')
}

/** In characters: close enough for names, exact for everything of ours. */
function displayWidth(text: string): number {
  return [...text].length
}
