import type { Lifetime } from '../../test/support/lifetime.js'
import type { ServerScript } from '../compare/build.js'
import type { Chart } from './chart.js'
import type { ScalingOptions } from './options.js'

/** What each part works with. */
export interface Context {
  readonly options: ScalingOptions
  readonly script: ServerScript
  /** Ends with the part. */
  readonly lifetime: Lifetime
  /** One line of progress. */
  readonly say: (line: string) => void
  /** Keeps a chart, or what is known of it so far, in place of an earlier one of that title. */
  readonly keep: (chart: Chart) => Promise<void>
}

export type Part = (context: Context) => Promise<void>
