import type { Answer, Driven, DriveOptions, Planned } from './driver/drive.js'
import type { LoadOptions } from './options.js'
import { type Person, refreshBytes } from './people.js'
import type { Site } from './site.js'
import type { Presentation, Witness } from './witness.js'

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
  /** What the run was to show and could not, each a sentence: then it has proved nothing. */
  readonly unproved?: readonly string[]
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

/** The refresh token of a person, to see what it is worth: the pair is not taken over. */
export function presentRefreshToken(
  { witness }: Stage,
  person: Person,
  onAnswer?: (answer: Answer) => void
): Planned {
  const { revocation } = person.card
  return {
    name: 'refresh',
    request: refreshBytes(person),
    onAnswer(answer) {
      witness.judge('refresh', revocation, answer)
      onAnswer?.(answer)
    }
  }
}

const tokens: Readonly<Record<Presentation, string>> = {
  verify: 'access token',
  refresh: 'refresh token'
}

/** What a scenario that revokes tokens tells of them. */
export function evidenceOf({ witness, site }: Stage): Required<Omit<Outcome, 'driven'>> {
  const each = [
    { token: tokens.verify, refused: witness.refused('verify') },
    { token: tokens.refresh, refused: witness.refused('refresh') }
  ]
  const findings = each.map(({ token, refused }) => [`revoked ${token}s refused`, refused])
  return {
    findings: {
      ...(Object.fromEntries(findings) as Findings),
      'revoked tokens accepted, on their way when the answer came': witness.overlapping()
    },
    unproved: [
      ...each
        .filter(({ refused }) => refused === 0)
        .map(({ token }) => `no revoked ${token} was sent after the answer and refused`),
      ...site.targets
        .filter(({ port }) => witness.refusedOn(port) === 0)
        .map(({ host, port }) => `nothing shows that ${host}:${port} refuses what was revoked`)
    ]
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
