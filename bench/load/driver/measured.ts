import { build, type Histogram } from 'hdr-histogram-js'

/** Latencies in microseconds, exact to three digits, of up to a minute. */
export function newHistogram(): Histogram {
  return build({
    bitBucketSize: 64,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false
  })
}

/** What came of all requests of one kind. */
export interface Measured {
  readonly histogram: Histogram
  /** How many answers had each status; 0 stands for a connection that broke. */
  readonly statuses: Map<number, number>
}

/** One second of a run; latencies in milliseconds. */
export interface Second {
  readonly second: number
  readonly answers: number
  /** Answers of 500 and above, and connections that broke. */
  readonly failures: number
  /** Answers of 401. */
  readonly refusals: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** A run in figures, as reports hold them. Latencies in milliseconds. */
export interface Figures {
  readonly answers: number
  readonly perSecond: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p90Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
  readonly statuses: Readonly<Record<string, number>>
}

export function createMeter() {
  const byName = new Map<string, Measured>()
  const all = newHistogram()
  const seconds: Second[] = []
  let current = newHistogram()
  let answers = 0
  let failures = 0
  let refusals = 0

  function of(name: string): Measured {
    const known = byName.get(name) ?? { histogram: newHistogram(), statuses: new Map() }
    byName.set(name, known)
    return known
  }

  return {
    byName,
    all,
    seconds,

    record(name: string, status: number, latencyMs: number): void {
      const us = Math.min(Math.max(Math.round(latencyMs * 1_000), 1), 59_999_999)
      const { histogram, statuses } = of(name)
      histogram.recordValue(us)
      all.recordValue(us)
      current.recordValue(us)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      answers++
      if (status === 0 || status >= 500) failures++
      if (status === 401) refusals++
    },

    /** Closes a second. */
    tick(): Second {
      const second = {
        second: seconds.length,
        answers,
        failures,
        refusals,
        p50Ms: current.getValueAtPercentile(50) / 1_000,
        p99Ms: current.getValueAtPercentile(99) / 1_000
      }
      seconds.push(second)
      current = newHistogram()
      answers = 0
      failures = 0
      refusals = 0
      return second
    }
  }
}

export function figuresOf({ histogram, statuses }: Measured, durationMs: number): Figures {
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1_000
  return {
    answers: histogram.totalCount,
    perSecond: (histogram.totalCount / durationMs) * 1_000,
    meanMs: histogram.mean / 1_000,
    p50Ms: at(50),
    p90Ms: at(90),
    p99Ms: at(99),
    p999Ms: at(99.9),
    maxMs: histogram.maxValue / 1_000,
    statuses: Object.fromEntries(statuses)
  }
}
