import type { Lifetime } from '../../test/support/lifetime.js'
import { eventually } from '../../test/support/eventually.js'
import { spawnWatched } from '../../test/support/service-process.js'
import type { Announcement } from '../servers/process.js'

/** A server that listens. */
export interface ServerProcess extends Announcement {
  readonly pid: number
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
  const child = await spawnWatched(lifetime, process.execPath, [script], {
    env,
    ...(cwd !== undefined && { cwd })
  })
  const announcement = await Promise.race([
    eventually(`${script} listens`, () => announcementIn(child.stdout()), { withinMs: startMs }),
    child.ended.then(({ stderr }) => {
      throw new Error(`${script} ended\n${stderr}`)
    })
  ])
  return { pid: child.pid, ...announcement }
}

function announcementIn(output: string): Announcement | undefined {
  const line = output.split('\n').find((candidate) => candidate.startsWith('{"url"'))
  // Only a whole line is one.
  if (line === undefined || !output.includes(`${line}\n`)) return undefined
  return JSON.parse(line) as Announcement
}
