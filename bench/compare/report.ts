import { median, ratioOfRounds } from './statistics.js'

/** What was measured of one contender in one round, by name. */
export type Sample = Readonly<Record<string, number>>

export interface Column {
  /** The name of the figure in a sample. */
  readonly key: string
  readonly label: string
  readonly digits: number
  /** Shown as a multiple of the baseline's too. */
  readonly ratio?: boolean
}

/** The medians of one contender, the rounds that they are of, and ratios to the baseline's. */
export interface Row {
  readonly name: string
  readonly medians: Sample
  readonly ratios: Sample
  readonly rounds: readonly Sample[]
}

/** What is to be reached, and what came out. */
export interface Goal {
  readonly what: string
  readonly bound: 'at most' | 'at least'
  readonly wanted: number
  readonly measured: number
}

/** One comparison. */
export interface Section {
  readonly id: string
  readonly title: string
  readonly baseline: string
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
  readonly goals: readonly Goal[]
}

export type RoundsByName = ReadonlyMap<string, readonly Sample[]>

/** Condenses rounds. Ratios are taken within each round and only then is the middle one chosen. */
export function rowsOf(columns: readonly Column[], rounds: RoundsByName, baseline: string): Row[] {
  const base = rounds.get(baseline) ?? []
  return [...rounds].map(([name, samples]) => {
    const figures = (of: readonly Sample[], key: string) => of.map((sample) => sample[key] ?? NaN)
    const medians: Record<string, number> = {}
    const ratios: Record<string, number> = {}
    for (const { key, ratio } of columns) {
      medians[key] = median(figures(samples, key))
      if (ratio === true) ratios[key] = ratioOfRounds(figures(samples, key), figures(base, key))
    }
    return { name, medians, ratios, rounds: samples }
  })
}

/** How many times another's figure one's is, by the medians of the ratios within rounds. */
export function timesOf(rounds: RoundsByName, key: string, one: string, other: string): number {
  const figures = (name: string) => (rounds.get(name) ?? []).map((sample) => sample[key] ?? NaN)
  return ratioOfRounds(figures(one), figures(other))
}

export function isReached({ bound, wanted, measured }: Goal): boolean {
  return bound === 'at most' ? measured <= wanted : measured >= wanted
}

/** The section as a table of cells, head first. */
export function tableOf({ columns, rows, baseline }: Section): string[][] {
  const head = columns.flatMap(({ label, ratio }) => (ratio === true ? [label, '×'] : [label]))
  const body = rows.map(({ name, medians, ratios }) => [
    name,
    ...columns.flatMap(({ key, digits, ratio }) => {
      const figure = format(medians[key], digits)
      return ratio === true ? [figure, name === baseline ? '1' : format(ratios[key], 2)] : [figure]
    })
  ])
  return [['', ...head], ...body]
}

export function goalLine(goal: Goal): string {
  const { what, bound, wanted, measured } = goal
  const verdict = isReached(goal) ? 'reached' : 'MISSED'
  return `${verdict}: ${what}: ${format(measured, 3)}, wanted ${bound} ${wanted}`
}

function format(figure: number | undefined, digits: number): string {
  if (figure === undefined || !Number.isFinite(figure)) return '–'
  return figure.toLocaleString('en', {
    maximumFractionDigits: digits,
    minimumFractionDigits: digits
  })
}
