import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

interface Process {
  pid: number
  parent: number
  zombie: boolean
  /** Tells this process from a later one with the same pid, where the system says so. */
  born: string
}

/** Stops `pid` and everything below it at once, as a paused machine would. */
export function freezeTree(pid: number): void {
  const frozen = new Set<number>()
  // Parents first: what is stopped starts no further child.
  for (let next = [pid]; next.length > 0; next = descendants(pid).filter((p) => !frozen.has(p))) {
    for (const process of next) {
      signal(process, 'SIGSTOP')
      frozen.add(process)
    }
  }
}

/** Undoes {@link freezeTree}. */
export function thawTree(pid: number): void {
  for (const process of [pid, ...descendants(pid)]) signal(process, 'SIGCONT')
}

/** Kills `pid` and everything below it, none of them able to notice first. */
export function killTree(pid: number): void {
  freezeTree(pid)
  for (const process of [...descendants(pid), pid]) signal(process, 'SIGKILL')
}

/** Resolves once the process that has `pid` now has ended, at once where there is none. */
export async function endOf(pid: number, pollMs = 50): Promise<void> {
  const born = identityOf(pid)
  if (born === undefined) return
  const isThere = () => identityOf(pid) === born
  while (isThere()) await sleep(pollMs)
}

/** What identifies the running process `pid`; undefined when there is none (a zombie is none). */
function identityOf(pid: number): string | undefined {
  const found = processes().find((process) => process.pid === pid)
  return found === undefined || found.zombie ? undefined : found.born
}

function descendants(root: number): number[] {
  const all = processes()
  const below = (parent: number): number[] =>
    all.filter((p) => p.parent === parent).flatMap((p) => [p.pid, ...below(p.pid)])
  return below(root)
}

/** Sends a signal where it still can be sent. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // It ended meanwhile.
  }
}

function processes(): Process[] {
  return process.platform === 'linux' ? fromProc() : fromPs()
}

function fromProc(): Process[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((name) => {
    const fields = statFields(name)
    if (fields === undefined) return []
    const [state = '', parent = ''] = fields
    const born = fields[19] ?? ''
    return [{ pid: Number(name), parent: Number(parent), zombie: state === 'Z', born }]
  })
}

/** The fields of proc(5)'s stat behind the command name, which may hold anything itself. */
function statFields(pid: string): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

function fromPs(): Process[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,state=,lstart='], { encoding: 'utf8' })
  return lines.split('\n').flatMap((line) => {
    const [pid, parent, state, ...born] = line.trim().split(/\s+/)
    if (pid === undefined || parent === undefined || state === undefined) return []
    const zombie = state.startsWith('Z')
    return [{ pid: Number(pid), parent: Number(parent), zombie, born: born.join(' ') }]
  })
}
