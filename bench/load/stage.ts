import type { Answer, Driven, DriveOptions, Planned } from './driver/drive.js'
import type { LoadOptions } from './options.js'
import type { Person } from './people.js'
import type { Site } from './site.js'
import type { Witness } from './witness.js'

/** What a scenario plays on. */
export interface Stage {
  readonly site: Site
  readonly options: LoadOptions
  readonly people: readonly [Person, ...Person[]]
  readonly witness: Witness
  /** Notes what happened just now: reports show it in their charts. */
  readonly mark: (label: string) => void
  /** Drives the load that the options ask for. */
  readonly drive: (next: DriveOptions['next']) => Promise<Driven>
  /** Waits until this share of the run is over. */
  readonly until: (share: number) => Promise<void>
}

/** What came of a scenario, besides the answers: figures with names that say their unit. */
export interface Outcome {
  readonly driven: Driven
  readonly findings: Readonly<Record<string, number>>
}

export type Scenario = (stage: Stage) => Promise<Outcome>

/** The protected route, with the present token of a person. */
export function visit(
  { witness }: Stage,
  { card }: Person,
  onAnswer?: (answer: Answer) => void
): Planned {
  return {
    name: 'verify',
    request: card.visit,
    onAnswer(answer) {
      witness.judge('verify', card.revokedAt, answer)
      onAnswer?.(answer)
    }
  }
}

/** The person whose turn it is. */
export function inTurn({ people }: Stage, sequence: number): Person {
  return people[sequence % people.length] ?? people[0]
}
