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
  /** So that no figure is of code that was not compiled yet, or of a connection that was just opened. Comes first. */
  readonly warmUp: (next: DriveOptions['next']) => Promise<void>
  /** Drives the load that the options ask for. */
  readonly drive: (next: DriveOptions['next']) => Promise<Driven>
  /** The part of the run that is over, from 0 to 1. */
  readonly progress: () => number
  /** Waits until this part of the run is over. */
  readonly until: (progress: number) => Promise<void>
  /** Undefined where it is not ours to kill. */
  readonly redis: { kill: () => Promise<void>; start: () => Promise<void> } | undefined
}

/** Figures with names that say their unit, null for what did not come about. */
export type Findings = Readonly<Record<string, number | null>>

/** What came of a scenario. */
export interface Outcome {
  readonly driven: Driven
  /** Besides the answers. */
  readonly findings: Findings
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
      witness.judge('verify', card.revocation, answer)
      onAnswer?.(answer)
    }
  }
}

/** Visits of everybody in turn. */
export function visits(stage: Stage): (sequence: number) => Planned {
  return (sequence) => visit(stage, inTurn(stage, sequence))
}

/** The person whose turn it is. */
export function inTurn({ people }: Stage, sequence: number): Person {
  return people[sequence % people.length] ?? people[0]
}
