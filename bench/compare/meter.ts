import { cpuOf } from './cpu.js'
import type { Processes } from './variants.js'

export interface CpuPerRole {
  readonly server: number
  readonly redis: number
  readonly postgres: number
}

/** Starts to count the CPU time of all processes of a contender; the result is in microseconds. */
export function meterCpu(processes: Processes): () => CpuPerRole {
  const read = () => ({
    server: cpuOf(processes.server),
    redis: cpuOf(processes.redis),
    postgres: cpuOf(processes.postgres)
  })
  const before = read()
  return () => {
    const after = read()
    return {
      server: after.server - before.server,
      redis: after.redis - before.redis,
      postgres: after.postgres - before.postgres
    }
  }
}

export const sumOf = ({ server, redis, postgres }: CpuPerRole): number => server + redis + postgres
