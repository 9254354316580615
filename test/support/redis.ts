import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Lifetime } from './lifetime.js'
import { redisCli } from './redis-cli.js'
import { launchRedis, type RedisProcess } from './redis-process.js'

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
  /** Whether it runs and is not frozen, as far as this handle knows. */
  answers: () => boolean
  /** One command on a connection of its own, like redis-cli. */
  cli: (command: string, ...args: (string | number)[]) => Promise<unknown>
}

export interface RedisOptions {
  /** More of its command line, such as `'--appendonly', 'yes'`; may depend on its port. */
  readonly args?: readonly string[] | ((port: number) => readonly string[])
  /** A free one by default. */
  readonly port?: number
  readonly kind?: 'server' | 'sentinel'
}

/** A running redis-server (or valkey-server) for `t` alone; gone when `t` ends. */
export async function startRedis(t: Lifetime, options: RedisOptions = {}): Promise<TestRedis> {
  const { kind = 'server' } = options
  const dir = await mkdtemp(join(tmpdir(), 'keycard-redis-'))
  let args = options.args ?? []
  let server: RedisProcess | undefined
  let answers = false
  t.teardown(async () => {
    await server?.end('SIGKILL')
    await rm(dir, { recursive: true, force: true })
  })

  async function launch(wished: number | undefined): Promise<RedisProcess> {
    if (kind === 'sentinel') await writeFile(sentinelFile(dir), '', { flag: 'a' })
    const more = (port: number) => (typeof args === 'function' ? args(port) : args)
    const launched = await launchRedis({
      dir,
      port: wished,
      args: (port) => [...commandLine[kind](dir, port), ...more(port)],
      readyLine: readyLine[kind]
    })
    answers = true
    return launched
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    answers = false
    await server?.end(signal)
  }

  const { port } = (server = await launch(options.port))
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dir,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    freeze: () => {
      answers = false
      server?.signal('SIGSTOP')
    },
    thaw: () => {
      server?.signal('SIGCONT')
      answers = true
    },
    start: async (again = {}) => {
      await end('SIGTERM')
      if (again.emptied === true) await empty(dir)
      args = again.args ?? args
      server = await launch(port)
    },
    answers: () => answers,
    cli: (command, ...rest) => redisCli(port, command, ...rest)
  }
}

const readyLine = {
  server: /ready to accept connections/i,
  // By then it listens.
  sentinel: /sentinel ID is/i
}

const commandLine = {
  server: (dir: string, port: number) => [
    ...['--port', String(port), '--bind', '127.0.0.1', '--dir', dir],
    ...['--save', '', '--appendonly', 'no']
  ],
  sentinel: (dir: string, port: number) => [
    sentinelFile(dir),
    ...['--sentinel', '--port', String(port), '--bind', '127.0.0.1', '--dir', dir]
  ]
}

/** Where a sentinel keeps what it knows; there must be such a file. */
const sentinelFile = (dir: string): string => join(dir, 'sentinel.conf')

async function empty(dir: string): Promise<void> {
  for (const name of await readdir(dir)) await rm(join(dir, name), { recursive: true })
}
