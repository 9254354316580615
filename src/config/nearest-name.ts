/** The known name that a mistyped one most probably stands for, if any is near. */
export function nearestName(mistyped: string, known: readonly string[]): string | undefined {
  const bare = mistyped.replace(/^KEYCARD_/, '')
  let nearest: string | undefined
  let least = Math.max(2, bare.length / 3)
  for (const name of known) {
    const letters = Math.min(distance(mistyped, name), distance(bare, name))
    if (letters > least || (letters === least && nearest !== undefined)) continue
    nearest = name
    least = letters
  }
  return nearest
}

/** Levenshtein: how many letters to insert, delete or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  let result = b.length
  for (const [index, letter] of Array.from(a).entries()) {
    let left = index + 1
    let diagonal = index
    row = row.map((above, column) => {
      if (column === 0) return left
      left = Math.min(diagonal + (letter === b[column - 1] ? 0 : 1), above + 1, left + 1)
      diagonal = above
      return left
    })
    result = left
  }
  return result
}
