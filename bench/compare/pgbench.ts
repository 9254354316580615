import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type postgres from 'postgres'

const script = fileURLToPath(new URL('pgbench.sql', import.meta.url))
const run = promisify(execFile)

/** What pgbench says of itself; undefined where there is none on this machine. */
export async function pgbenchVersion(): Promise<string | undefined> {
  const { stdout } = await run('pgbench', ['--version']).catch(() => ({ stdout: undefined }))
  return stdout?.trim()
}

export interface PgbenchRun {
  readonly url: string
  readonly sql: postgres.Sql
  readonly clients: number
  /** How many sessions there are for each client. */
  readonly sessionsPerClient: number
  readonly seconds: number
  /** Called when the table is ready and the swaps begin. */
  readonly onReady: () => void
}

/**
 * Compare-and-swaps of session counters: how many, and how many per second. Every one finds its row.
 * @throws where the counters do not say that
 */
export async function runPgbench(
  options: PgbenchRun
): Promise<{ done: number; perSecond: number }> {
  const { url, sql, clients, sessionsPerClient, seconds, onReady } = options
  await sql`update sessions set counter = 0 where counter > 0`
  await sql`vacuum sessions`
  const { hostname, port, username, password, pathname } = new URL(url)
  onReady()
  const { stdout } = await run(
    'pgbench',
    [
      ...['--no-vacuum', '--protocol', 'prepared', '--file', script],
      ...['--client', String(clients), '--jobs', String(Math.min(clients, availableParallelism()))],
      ...['--time', String(seconds)],
      ...['--define', `sessions=${sessionsPerClient}`, '--define', 'done=0'],
      ...['--host', hostname, '--port', port, '--username', username, pathname.slice(1)]
    ],
    { env: { PATH: process.env['PATH'], PGPASSWORD: decodeURIComponent(password) } }
  )
  const done = Number(/transactions actually processed: (\d+)/.exec(stdout)?.[1])
  const perSecond = Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1])
  const [row] = await sql<{ swapped: number }[]>`select sum(counter)::int as swapped from sessions`
  // A client that was told to stop may have had one under way.
  if (row === undefined || Math.abs(row.swapped - done) > clients) {
    throw new Error(`pgbench made ${done} swaps and the table has ${row?.swapped ?? 'none'}`)
  }
  return { done, perSecond }
}
