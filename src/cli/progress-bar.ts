const width = 24

/** How far something is, in one line. More may be done than was expected at first. */
export function progressBar(done: number, expected: number): string {
  const total = Math.max(done, expected)
  const filled = total === 0 ? width : Math.floor((done / total) * width)
  const percent = total === 0 ? 100 : Math.floor((done / total) * 100)
  return `[${'#'.repeat(filled)}${'.'.repeat(width - filled)}] ${percent} %  ${done} of ${total} sessions`
}
