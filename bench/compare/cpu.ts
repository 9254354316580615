import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** Of proc(5)'s times: USER_HZ, which is 100 wherever Node runs. */
const microsecondsPerTick = 10_000

/**
 * The CPU time that these processes and all below them have used so far, in microseconds, from /proc:
 * of those that run by the nanosecond, of those that have ended by the hundredth of a second.
 *
 * @throws where there is no /proc: on anything but Linux
 */
export function cpuOf(roots: readonly number[]): number {
  const parents = parentsByPid()
  const living = [...parents.keys()].filter((pid) => isBelow(pid, roots, parents))
  const ended = roots.reduce((sum, pid) => sum + cpuOfEndedChildren(pid), 0)
  return living.reduce((sum, pid) => sum + cpuOfThreads(pid), ended)
}

/** The part of the machine that was busy between two looks, as the kernel counts it. */
export function watchMachine(): () => number {
  const start = machineTicks()
  return () => {
    const end = machineTicks()
    return (end.busy - start.busy) / Math.max(1, end.all - start.all)
  }
}

/** The process that started `pid`. */
export function parentOf(pid: number): number {
  return Number(statFields(pid)?.[1])
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid: number): number {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) * 1_024
}

export const cores = availableParallelism

function parentsByPid(): Map<number, number> {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    const fields = Number.isInteger(pid) ? statFields(pid) : undefined
    if (fields !== undefined) parents.set(pid, Number(fields[1]))
  }
  return parents
}

function isBelow(
  pid: number,
  roots: readonly number[],
  parents: ReadonlyMap<number, number>
): boolean {
  if (roots.includes(pid)) return true
  const parent = parents.get(pid)
  return parent !== undefined && parent > 1 && isBelow(parent, roots, parents)
}

/** The fields of a process's stat behind its name, which may hold anything itself. */
function statFields(pid: number): string[] | undefined {
  const text = read(`/proc/${pid}/stat`)
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** cutime and cstime. */
function cpuOfEndedChildren(pid: number): number {
  const fields = statFields(pid)
  if (fields === undefined) throw new Error(`Process ${pid} has ended`)
  return (Number(fields[13]) + Number(fields[14])) * microsecondsPerTick
}

/** The first number of schedstat is the time on a CPU in nanoseconds. */
function cpuOfThreads(pid: number): number {
  let nanoseconds = 0
  for (const thread of list(`/proc/${pid}/task`)) {
    nanoseconds += Number(read(`/proc/${pid}/task/${thread}/schedstat`)?.split(' ')[0] ?? 0)
  }
  return nanoseconds / 1_000
}

function machineTicks(): { busy: number; all: number } {
  const [, ...fields] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0]?.split(/\s+/) ?? []
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softIrq = 0, steal = 0] =
    fields.map(Number)
  const busy = user + nice + system + irq + softIrq + steal
  return { busy, all: busy + idle + wait }
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}

/** Undefined where the process has ended meanwhile. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
