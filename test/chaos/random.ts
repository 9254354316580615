/** Numbers that are the same in every run with the same seed. */
export interface Random {
  /** At least `from`, below `to`. */
  readonly between: (from: number, to: number) => number
  /** A whole number, at least `from` and at most `to`. */
  readonly integer: (from: number, to: number) => number
  readonly chance: (probability: number) => boolean
  /** @throws RangeError where there is nothing to pick from */
  readonly pick: <T>(from: readonly T[]) => T
  /** `count` of them, each at most once. */
  readonly sample: <T>(from: readonly T[], count: number) => T[]
  /** Others that follow from this seed alone, however many were drawn here. */
  readonly fork: (index: number) => Random
}

/** Mulberry32: 32 bits of state are plenty to draw a schedule from. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0

  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  function pick<T>(from: readonly T[]): T {
    const picked = from[Math.floor(next() * from.length)]
    if (picked === undefined) throw new RangeError('There is nothing to pick from')
    return picked
  }

  return {
    between: (from, to) => from + next() * (to - from),
    integer: (from, to) => from + Math.floor(next() * (to - from + 1)),
    chance: (probability) => next() < probability,
    pick,
    sample(from, count) {
      const left = [...from]
      const taken = []
      while (taken.length < count && left.length > 0) {
        taken.push(...left.splice(Math.floor(next() * left.length), 1))
      }
      return taken
    },
    fork: (index) => createRandom(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + index)
  }
}
