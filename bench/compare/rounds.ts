import type { RoundsByName, Sample } from './report.js'
import { orderOfRound } from './statistics.js'

export interface InRounds<T> {
  readonly contenders: readonly T[]
  readonly rounds: number
  readonly measure: (contender: T) => Promise<Sample>
  /** Told of each figure, and of all rounds so far when one is over: an interrupted run keeps them. */
  readonly onSample: (round: number, contender: T, sample: Sample) => void
  readonly onRound: (sofar: RoundsByName) => Promise<void>
}

/** Measures everyone once per round, in an order that changes from round to round. */
export async function inRounds<T extends { readonly name: string }>({
  contenders,
  rounds,
  measure,
  onSample,
  onRound
}: InRounds<T>): Promise<void> {
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const contender of orderOfRound(contenders, round)) {
      const sample = await measure(contender)
      samples.get(contender.name)?.push(sample)
      onSample(round, contender, sample)
    }
    await onRound(samples)
  }
}
