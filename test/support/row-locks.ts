import { setTimeout as pause } from 'node:timers/promises'
import postgres from 'postgres'
import type { Test } from 'tap'

/** A transaction of the test's own, in which it holds rows that the service wants. */
export interface Holder {
  readonly sql: postgres.ReservedSql
  /** Done when another transaction waits for what this one holds, or `request` is done without. */
  readonly waitedForBy: (request: Promise<unknown>) => Promise<void>
  readonly commit: () => Promise<void>
  readonly rollback: () => Promise<void>
}

const lookEveryMs = 5

/** Begins one on `databaseUrl`; rolled back when `t` ends, where it has not ended before. */
export async function holdRows(t: Test, databaseUrl: string): Promise<Holder> {
  const client = postgres(databaseUrl, { max: 2, onnotice: () => undefined })
  t.teardown(() => client.end())
  const sql = await client.reserve()
  await sql`begin`
  const [self] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`

  async function isWaitedFor(): Promise<boolean> {
    const rows = await client`
      select from pg_stat_activity where ${self?.pid ?? 0} = any(pg_blocking_pids(pid))`
    return rows.length > 0
  }

  async function end(how: 'commit' | 'rollback'): Promise<void> {
    await sql.unsafe(how)
    sql.release()
  }

  return {
    sql,
    async waitedForBy(request) {
      const ended = new AbortController()
      const stopLooking = () => ended.abort()
      request.then(stopLooking, stopLooking)
      // Postgres tells nobody who waits for whom: one has to look.
      while (!ended.signal.aborted && !(await isWaitedFor())) await pause(lookEveryMs)
    },
    commit: () => end('commit'),
    rollback: () => end('rollback')
  }
}
