import type { Context } from './context.js'
import type { RoundsByName, Sample, Section } from './report.js'
import { orderOfRound } from './statistics.js'

/** Something that is measured for a while. */
export interface Subject {
  readonly name: string
  readonly measure: (seconds: number) => Promise<Sample>
}

/** Measures every subject in every round, behind a warm-up, and keeps the section after each. */
export async function inRoundsOf(
  { options, say, keep }: Context,
  id: string,
  subjects: readonly Subject[],
  sectionOf: (rounds: RoundsByName) => Section
): Promise<void> {
  await inRounds({
    contenders: subjects,
    rounds: options.rounds,
    measure: async ({ measure }) => {
      await measure(options.warmUpSeconds)
      return await measure(options.seconds)
    },
    onSample: (round, { name }, sample) => {
      const figures = Object.entries(sample).map(([key, value]) => `${key} ${value.toFixed(2)}`)
      say(`${id} ${round + 1}/${options.rounds}  ${name}: ${figures.join(', ')}`)
    },
    onRound: (rounds) => keep(sectionOf(rounds))
  })
}

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
