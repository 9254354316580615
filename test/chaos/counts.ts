import { groupBy } from './group-by.js'

/** How often each word occurs, the most frequent first, to be read by people. */
export function counts(words: readonly string[]): string {
  const numbers = [...groupBy(words, (word) => word)].map(
    ([word, all]) => [word, all.length] as const
  )
  return numbers
    .sort(([, one], [, other]) => other - one)
    .map(([word, count]) => `${count} × ${word}`)
    .join(', ')
}
