/** The middle one, or the mean of the two in the middle. NaN of none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((one, other) => one - other)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? NaN
  if (sorted.length % 2 === 1) return upper
  return ((sorted[middle - 1] ?? NaN) + upper) / 2
}

/** The smallest one that at least `share` of them do not exceed. NaN of none. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((one, other) => one - other)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN
}

/**
 * The order of one round: everyone once, and each round another one first, so that neither what the
 * machine does besides nor what ran before hits the same one every time. Odd rounds go backwards.
 */
export function orderOfRound<T>(all: readonly T[], round: number): T[] {
  const first = all.length === 0 ? 0 : Math.floor(round / 2) % all.length
  const rotated = [...all.slice(first), ...all.slice(0, first)]
  return round % 2 === 0 ? rotated : rotated.toReversed()
}

/**
 * How many times the other's figure one's is: the median over the rounds of the ratio within each, as
 * what slows the machine down for a while slows both of a round.
 */
export function ratioOfRounds(ones: readonly number[], others: readonly number[]): number {
  return median(ones.map((one, round) => one / (others[round] ?? NaN)))
}
