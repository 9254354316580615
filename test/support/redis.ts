import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { freePort } from '../../src/embedded/free-port.js'
import { type Reaper, reapAfterUs } from './reaper.js'
import { redisBinary } from './redis-binary.js'

/** A server of one test's own, to be hurt as it likes. It keeps nothing unless `args` say so. */
export interface TestRedis {
  /** Stays the same through every restart, as does `port`. */
  url: string
  port: number
  /** Its working folder, where a dump or an append-only file lies. */
  dir: string
  /** SIGTERM: saves what its arguments tell it to save. */
  stop: () => Promise<void>
  /** SIGKILL. */
  kill: () => Promise<void>
  /** SIGSTOP: connections stay open and nothing answers. */
  freeze: () => void
  thaw: () => void
  /** Starts it again after `stop` or `kill`; `emptied` removes its files first. */
  start: (options?: { args?: readonly string[]; emptied?: boolean }) => Promise<void>
  /** One command on a connection of its own, like redis-cli. */
  cli: (command: string, ...args: (string | number)[]) => Promise<unknown>
}

/**
 * A running redis-server (or valkey-server) for `t` alone, on `port` or a free one; gone when `t` ends.
 * `args` are its command line, such as `'--appendonly', 'yes'`.
 */
export async function startRedis(
  t: Test,
  options: { args?: readonly string[]; port?: number } = {}
): Promise<TestRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'keycard-redis-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  let args = options.args ?? []
  let server = await launch(dir, args, options.port)
  t.teardown(() => server.end('SIGKILL'))
  const { port } = server
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
    stop: () => server.end('SIGTERM'),
    kill: () => server.end('SIGKILL'),
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    start: async (again = {}) => {
      await server.end('SIGTERM')
      if (again.emptied === true) await empty(dir)
      args = again.args ?? args
      server = await launch(dir, args, port)
    },
    cli: (command, ...rest) => call(port, command, rest)
  }
}

interface Server {
  port: number
  signal: (signal: NodeJS.Signals) => void
  end: (signal: NodeJS.Signals) => Promise<void>
}

async function launch(
  dir: string,
  args: readonly string[],
  wishedPort: number | undefined
): Promise<Server> {
  const binary = await redisBinary()
  for (;;) {
    const port = wishedPort ?? (await freePort())
    const child = spawn(binary, [...defaults(dir, port), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      // Ctrl-C is for the test, which ends it then.
      detached: true
    })
    const output = await outputUntilReady(child)
    if (output === undefined) return serverOf(child, port, dir)
    const taken = output.includes('Address already in use')
    if (!taken || wishedPort !== undefined) {
      throw new Error(`The test's Redis did not start on port ${port}\n${output}`)
    }
  }
}

function defaults(dir: string, port: number): string[] {
  const keepNothing = ['--save', '', '--appendonly', 'no']
  return ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, ...keepNothing]
}

/** Undefined once it takes connections; all it said when it ended instead. */
async function outputUntilReady(child: ChildProcess): Promise<string | undefined> {
  if (child.stdout === null) throw new Error('The output of Redis is not readable')
  let output = ''
  for await (const line of createInterface(child.stdout)) {
    output += `${line}\n`
    if (/ready to accept connections/i.test(line)) {
      child.stdout.resume()
      return undefined
    }
  }
  return output
}

function serverOf(child: ChildProcess, port: number, dir: string): Server {
  const { pid } = child
  if (pid === undefined) throw new Error('Redis has no process')
  const exited = once(child, 'exit')
  const reaper: Reaper = reapAfterUs(pid, 'KILL', dir)
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

async function empty(dir: string): Promise<void> {
  for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true })
}

async function call(port: number, command: string, args: (string | number)[]): Promise<unknown> {
  const client = new Redis({
    host: '127.0.0.1',
    port,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    lazyConnect: true
  })
  // What fails is told by the command's own promise.
  client.on('error', () => undefined)
  try {
    await client.connect()
    return await client.call(command, ...args)
  } finally {
    client.disconnect()
  }
}
