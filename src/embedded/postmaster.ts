import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerAccount } from './account.js'
import type { PostgresBinaries } from './binaries.js'
import { keepTail } from './tail.js'

export interface PostmasterOptions {
  binaries: PostgresBinaries
  account: ServerAccount
  directory: string
  port: number
  /** Postgres settings by name, on top of those that keep it to 127.0.0.1. */
  settings?: Readonly<Record<string, string>>
}

/** A running server. `exited` resolves when it has ended, for whatever reason. */
export interface Postmaster {
  pid: number
  port: number
  exited: Promise<void>
  /** The end of what it logged. */
  tail: () => string
  stop: () => Promise<void>
}

export type Launch =
  | { kind: 'ready'; postmaster: Postmaster }
  | { kind: 'port-taken' }
  /** Another server works in this folder, or the rest of one has not ended yet. */
  | { kind: 'folder-in-use'; output: string }
  | { kind: 'failed'; output: string }

const pollMs = 20
const patienceMs = { fast: 5_000, immediate: 2_000 }

/** Starts a server on 127.0.0.1 and waits until it takes connections or has ended. */
export async function launchPostmaster(options: PostmasterOptions): Promise<Launch> {
  const { binaries, account, directory } = options
  const child = account.spawn(binaries.postgres, postgresArgs(options), {
    stdio: ['ignore', 'ignore', 'pipe'],
    // In a session of its own, so that Ctrl-C reaches the service first and it can stop gracefully.
    detached: true
  })
  const failure = once(child, 'error')
  const tail = keepTail(child.stderr)
  const ended = settled(once(child, 'exit'))
  stopWithProcess(child)
  const allRead = settled(once(child, 'close'))
  const { pid } = child
  if (pid === undefined) return { kind: 'failed', output: String((await failure)[0]) }
  if (!(await becameReady(child, pid, directory))) {
    await allRead
    return classify(tail.text())
  }
  const stop = () => stopChild(child, ended)
  return {
    kind: 'ready',
    postmaster: { pid, port: options.port, exited: ended, tail: tail.text, stop }
  }
}

function postgresArgs({ directory, port, settings }: PostmasterOptions): string[] {
  const all = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    log_destination: 'stderr',
    lc_messages: 'C',
    timezone: 'UTC',
    log_timezone: 'UTC',
    ...settings
  }
  const flags = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return ['-D', directory, '-p', String(port), ...flags]
}

/** Postgres itself writes `ready` in its pid file; a file with another pid is not its own. */
async function becameReady(child: ChildProcess, pid: number, directory: string): Promise<boolean> {
  while (isRunning(child)) {
    const lines = (await readFile(join(directory, 'postmaster.pid'), 'utf8').catch(() => '')).split(
      '\n'
    )
    if (lines[0] === String(pid) && lines[7]?.trim() === 'ready') return true
    await sleep(pollMs)
  }
  return false
}

function classify(output: string): Launch {
  if (/could not bind .*: Address already in use/.test(output)) return { kind: 'port-taken' }
  if (/lock file "postmaster\.pid" already exists|shared memory block .* in use/.test(output)) {
    return { kind: 'folder-in-use', output }
  }
  return { kind: 'failed', output }
}

async function settled(event: Promise<unknown>): Promise<void> {
  await event.catch(() => undefined)
}

function isRunning(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null
}

/** Where the process ends without `stop`, its Postgres still gets a fast shutdown. */
function stopWithProcess(child: ChildProcess): void {
  const interrupt = () => child.kill('SIGINT')
  process.once('exit', interrupt)
  child.once('exit', () => process.off('exit', interrupt))
}

/** Fast shutdown first; then one that leaves recovery to the next start; then the end. */
async function stopChild(child: ChildProcess, ended: Promise<void>): Promise<void> {
  for (const [signal, ms] of [
    ['SIGINT', patienceMs.fast],
    ['SIGQUIT', patienceMs.immediate]
  ] as const) {
    child.kill(signal)
    const abort = new AbortController()
    const late = sleep(ms, 'late', { signal: abort.signal }).catch(() => 'ended')
    const outcome = await Promise.race([ended, late])
    abort.abort()
    if (outcome !== 'late') return
  }
  child.kill('SIGKILL')
  await ended
  // What hangs holds it open and would keep this process from ending.
  child.stderr?.destroy()
}
