import type { Lifetime } from '../../test/support/lifetime.js'
import type { ServerScript } from './build.js'
import type { CompareOptions } from './options.js'
import type { Section } from './report.js'

/** What each part of the comparison works with. */
export interface Context {
  readonly options: CompareOptions
  readonly script: ServerScript
  /** Ends with the part: what it started does not run beside the next one. */
  readonly lifetime: Lifetime
  /** One line of progress. */
  readonly say: (line: string) => void
  /** Keeps what is known so far of a section; called again with more of it. */
  readonly keep: (section: Section) => Promise<void>
}

export type Part = (context: Context) => Promise<void>
