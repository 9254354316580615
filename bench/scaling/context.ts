import type { PartContext } from '../compare/context.js'
import type { Chart } from './chart.js'
import type { ScalingOptions } from './options.js'

/** A chart that is kept again takes the place of the earlier one of that title. */
export type Context = PartContext<ScalingOptions, Chart>
export type Part = (context: Context) => Promise<void>
