import type { Lifetime } from '../../test/support/lifetime.js'
import { eventually } from '../../test/support/eventually.js'
import { spawnWatched } from '../../test/support/service-process.js'
import type { Announcement, MemoryReport } from '../servers/process.js'

/** A server that listens. */
export interface ServerProcess extends Announcement {
  readonly pid: number
  /** What it holds after a collection of its garbage. */
  readonly memory: () => Promise<MemoryReport>
}

export interface ServerCommand {
  readonly script: string
  readonly env: Readonly<Record<string, string>>
  readonly cwd?: string
}

const startMs = 180_000

/** Starts a server and waits for the line in which it says where it listens. It ends with `lifetime`. */
export async function startServer(
  lifetime: Lifetime,
  { script, env, cwd }: ServerCommand
): Promise<ServerProcess> {
  const child = await spawnWatched(lifetime, process.execPath, ['--expose-gc', script], {
    env,
    ...(cwd !== undefined && { cwd })
  })
  const announcement = await Promise.race([
    eventually(`${script} listens`, () => announcementIn(child.stdout()), { withinMs: startMs }),
    child.ended.then(({ stderr }) => {
      throw new Error(`${script} ended\n${stderr}`)
    })
  ])
  async function memory(): Promise<MemoryReport> {
    const before = reportsIn(child.stdout()).length
    child.signal('SIGUSR2')
    return await eventually(`${script} says what it holds`, () => {
      return reportsIn(child.stdout())[before]
    })
  }
  return { pid: child.pid, memory, ...announcement }
}

function reportsIn(output: string): MemoryReport[] {
  const lines = output.split('\n').slice(0, -1)
  return lines
    .filter((line) => line.startsWith('{"resident"'))
    .map((line) => JSON.parse(line) as MemoryReport)
}

function announcementIn(output: string): Announcement | undefined {
  const line = output.split('\n').find((candidate) => candidate.startsWith('{"url"'))
  // Only a whole line is one.
  if (line === undefined || !output.includes(`${line}\n`)) return undefined
  return JSON.parse(line) as Announcement
}
