import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Lifetime } from './lifetime.js'
import { type Client, createClient } from './client.js'
import { eventually } from './eventually.js'
import { killTree } from './process-tree.js'
import { type Reaper, reapAfterUs } from './reaper.js'
import { sharedBuild } from './shared-build.js'
import { temporaryFolder } from './temporary-folder.js'

/** How a process ended and all that it said. */
export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** The service as a process of its own. */
export interface ServiceProcess {
  readonly pid: number
  readonly stdout: () => string
  readonly stderr: () => string
  readonly signal: (signal: NodeJS.Signals) => void
  readonly ended: Promise<End>
}

/** One that listens. */
export interface RunningService extends ServiceProcess, Client {
  readonly port: number
}

export interface ProcessOptions {
  /** All of its environment but PATH, HOME and TMPDIR; it listens on a free port unless it says otherwise. */
  readonly env?: NodeJS.ProcessEnv
  /** An empty folder where none is given. */
  readonly cwd?: string
}

const startMs = 240_000

/** Starts the service as it is built for production. It is gone when `t` ends. */
export async function spawnService(
  t: Lifetime,
  options: ProcessOptions = {}
): Promise<ServiceProcess> {
  const { server } = await sharedBuild(t)
  return await spawnWatched(t, process.execPath, [server], options)
}

/** Starts any command in the same way. */
export async function spawnWatched(
  t: Lifetime,
  command: string,
  args: readonly string[],
  { env, cwd }: ProcessOptions
): Promise<ServiceProcess> {
  const { PATH, HOME, TMPDIR } = process.env
  const folder = cwd === undefined ? await temporaryFolder(t) : undefined
  const child = spawn(command, args, {
    cwd: cwd ?? folder,
    env: { PATH, HOME, TMPDIR, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C is for the test, which ends it then.
    detached: true
  })
  const { pid } = child
  if (pid === undefined) throw new Error(`${command} did not start`)
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  const reaper = reapAfterUs(pid, 'TERM', folder ?? '')
  const ended = endOf(child, reaper).then((end) => ({ ...end, stdout: stdout(), stderr: stderr() }))
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) killTree(pid)
    await ended
  })
  const signal = (name: NodeJS.Signals) => {
    child.kill(name)
  }
  return { pid, stdout, stderr, ended, signal }
}

/** Starts the service and waits until it listens. @throws with its words where it ends instead */
export async function startServiceProcess(
  t: Lifetime,
  options: ProcessOptions = {}
): Promise<RunningService> {
  return await listening(await spawnService(t, options))
}

/** Waits until the process says where it listens. */
export async function listening(service: ServiceProcess): Promise<RunningService> {
  const line = /Server listening at (http:\/\/[^"\s]+)/
  const url = await Promise.race([
    eventually('it listens', () => line.exec(service.stdout())?.[1], { withinMs: startMs }),
    service.ended.then(({ code, stderr }) => {
      throw new Error(`The service ended with ${String(code)}\n${stderr}`)
    })
  ])
  return { ...service, ...createClient(url), port: Number(new URL(url).port) }
}

function collect(stream: ChildProcess['stdout']): () => string {
  let text = ''
  stream?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return () => text
}

/** When its output has been read, too. */
async function endOf(
  child: ChildProcess,
  reaper: Reaper
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  await once(child, 'close')
  await reaper.dismiss()
  return { code: child.exitCode, signal: child.signalCode }
}
