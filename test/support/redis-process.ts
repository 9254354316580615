import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { ownPort } from './own-port.js'
import { reapAfterUs } from './reaper.js'
import { redisBinary } from './redis-binary.js'

/** A process of the Redis binary, be it a server or a sentinel. */
export interface RedisProcess {
  readonly port: number
  readonly signal: (signal: NodeJS.Signals) => void
  /** Done when it is gone. */
  readonly end: (signal: NodeJS.Signals) => Promise<void>
}

export interface Launch {
  /** Its working folder, removed where this process dies without ending it. */
  readonly dir: string
  /** A free one, if undefined. */
  readonly port: number | undefined
  /** The command line for that port. */
  readonly args: (port: number) => readonly string[]
  /** What it says as soon as it takes connections. */
  readonly readyLine: RegExp
}

/** @throws with all that it said, where it does not start */
export async function launchRedis(launch: Launch): Promise<RedisProcess> {
  const binary = await redisBinary()
  for (;;) {
    const port = launch.port ?? (await ownPort())
    const child = spawn(binary, launch.args(port), {
      stdio: ['ignore', 'pipe', 'inherit'],
      // Ctrl-C is for the test, which ends it then.
      detached: true
    })
    const output = await outputUntil(launch.readyLine, child)
    if (output === undefined) return processOf(child, port, launch.dir)
    const taken = output.includes('Address already in use')
    if (!taken || launch.port !== undefined) {
      throw new Error(`The test's Redis did not start on port ${port}\n${output}`)
    }
  }
}

/** Undefined once it said the line; all it said when it ended instead. */
async function outputUntil(wanted: RegExp, child: ChildProcess): Promise<string | undefined> {
  if (child.stdout === null) throw new Error('The output of Redis is not readable')
  let output = ''
  for await (const line of createInterface(child.stdout)) {
    output += `${line}\n`
    if (wanted.test(line)) {
      child.stdout.resume()
      return undefined
    }
  }
  return output
}

function processOf(child: ChildProcess, port: number, dir: string): RedisProcess {
  const { pid } = child
  if (pid === undefined) throw new Error('Redis has no process')
  const exited = once(child, 'exit')
  const reaper = reapAfterUs(pid, 'KILL', dir)
  return {
    port,
    signal: (signal) => {
      child.kill(signal)
    },
    end: async (signal) => {
      child.kill(signal)
      await exited
      await reaper.dismiss()
    }
  }
}
