import { type CpuPerRole, meterCpu } from '../compare/meter.js'
import type { Processes } from '../compare/variants.js'

/** CPU time of the processes of a run, some of which may end while it lasts. */
export function createCpuCount() {
  let total: CpuPerRole | undefined
  let read: (() => CpuPerRole) | undefined

  return {
    /** Counts these from now on, and no others; undefined for none. To be told before one of them ends. */
    turnTo(processes: Processes | undefined): void {
      const used = read?.()
      if (used !== undefined) total = total === undefined ? used : sumOf(total, used)
      read = processes === undefined ? undefined : meterCpu(processes)
    },

    /** In microseconds; undefined where nothing was counted. */
    total: (): CpuPerRole | undefined => total
  }
}

function sumOf(one: CpuPerRole, other: CpuPerRole): CpuPerRole {
  return {
    server: one.server + other.server,
    redis: one.redis + other.redis,
    postgres: one.postgres + other.postgres
  }
}
