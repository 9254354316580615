/**
 * How long Postgres may take and how much may wait for it, per process. Every answer or refusal of a
 * `Database` call comes within `deadlineMs`; what Postgres is told is a little shorter, so that it
 * usually gives up first and the connection stays good.
 */
export interface DatabaseLimits {
  /** Connections at once. */
  readonly connections: number
  /** Calls at once, the waiting ones included. One more is refused without waiting. */
  readonly calls: number
  /** From the call to its answer or refusal, the wait for a connection included. */
  readonly deadlineMs: number
  /** A call that takes longer makes us ask, on another connection, whether the server is there. */
  readonly suspicionMs: number
  /** Postgres's `statement_timeout`, and its `idle_in_transaction_session_timeout`. */
  readonly statementMs: number
  /** Postgres's `lock_timeout`. */
  readonly lockMs: number
  readonly connectMs: number
  /** How long after its deadline a call may keep its connection until that is cut. */
  readonly lingerMs: number
  /** How long the question whether the server is there may take. */
  readonly probeMs: number
  /** The pause between two such questions while the server is away. */
  readonly probeEveryMs: number
  /** A connection older than this is replaced when it is free. */
  readonly lifetimeMs: number
  /** How long `close` waits for calls in flight. */
  readonly drainMs: number
}

export const databaseLimits: DatabaseLimits = {
  connections: 10,
  calls: 256,
  deadlineMs: 2000,
  suspicionMs: 1000,
  statementMs: 1800,
  lockMs: 1500,
  connectMs: 2000,
  lingerMs: 2000,
  probeMs: 1000,
  probeEveryMs: 250,
  lifetimeMs: 30 * 60_000,
  drainMs: 1000
}
