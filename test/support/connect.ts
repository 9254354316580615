import postgres from 'postgres'
import type { Test } from 'tap'

/** One connection of the test's own, opened by its first query and closed when `t` ends. */
export function connect(
  t: Test,
  url: string,
  options: { connect_timeout?: number } = {}
): postgres.Sql {
  const sql = postgres(url, { ...options, max: 1, onnotice: () => undefined })
  t.teardown(() => sql.end({ timeout: 0 }))
  return sql
}
