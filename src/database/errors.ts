import { DrizzleQueryError } from 'drizzle-orm'
import postgres from 'postgres'

/**
 * Why there is no answer: the server is known to be `away`; the connection was `lost`, or a plan that
 * it keeps is outdated; the answer is `late`; the server is there and `refused` to serve; too many
 * calls are waiting already (`busy`); or this process `closed` its connections.
 */
export type UnavailableReason = 'away' | 'lost' | 'late' | 'refused' | 'busy' | 'closed'

/**
 * Postgres did not answer, or not in time. Whether a write took effect is unknown, except with the
 * reasons `away`, `busy` and `closed`: then nothing was sent.
 */
export class DatabaseUnavailable extends Error {
  readonly reason: UnavailableReason

  constructor(reason: UnavailableReason, options?: ErrorOptions) {
    super(`The database is unavailable (${reason})`, options)
    this.name = 'DatabaseUnavailable'
    this.reason = reason
  }
}

/**
 * Postgres answered a statement with an error. Neither the message nor `cause` carries a value of
 * the statement, so it may be logged; `cause.code` is the SQLSTATE.
 */
export class QueryFailed extends Error {
  constructor(cause: unknown) {
    super('The database refused a statement', { cause: withoutValues(cause) })
    this.name = 'QueryFailed'
  }
}

/** Whether `error`, or what caused it, is that a unique constraint (`constraint`, if given) was violated. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  for (let link = error; link instanceof Error; link = link.cause) {
    if (codeOf(link) !== '23505') continue
    const name = 'constraint_name' in link ? link.constraint_name : undefined
    return constraint === undefined || name === constraint
  }
  return false
}

/**
 * What a failed call is answered with: errors of the driver become {@link DatabaseUnavailable} or
 * {@link QueryFailed}, anything else is the caller's own and stays what it is.
 */
export function translate(error: unknown): unknown {
  if (!(error instanceof DrizzleQueryError)) return error
  const { cause } = error
  if (cause instanceof DatabaseUnavailable) return cause
  const reason = unavailability(cause)
  return reason === undefined ? new QueryFailed(cause) : new DatabaseUnavailable(reason, { cause })
}

/** Why this error of the driver means that the server can't be used now; undefined where it doesn't. */
export function unavailability(cause: unknown): UnavailableReason | undefined {
  const code = codeOf(cause)
  if (cause instanceof postgres.PostgresError) {
    return isOutdatedPlan(cause) ? 'lost' : sqlstates.find(([of]) => of.test(code))?.[1]
  }
  if (cause instanceof TypeError || misuse.has(code)) return undefined
  return code === 'CONNECT_TIMEOUT' ? 'late' : 'lost'
}

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const sqlstates: readonly (readonly [RegExp, UnavailableReason])[] = [
  // Also the loser of a deadlock: the next attempt may win.
  [/^57014$|^55P03$|^25P0[34]$|^40P01$/, 'late'],
  [/^57P|^08/, 'lost'],
  // No resources, no access, no such database, a standby that can't write.
  [/^53|^28|^3D000$|^25006$/, 'refused']
]

/**
 * A migration changed the type of a column since this connection prepared the statement: it will fail
 * in every transaction, and the connection is as good as lost. Outside one the driver prepares it anew.
 */
function isOutdatedPlan({ code, routine }: postgres.PostgresError): boolean {
  return code === '0A000' && routine === 'RevalidateCachedQuery'
}

/** The driver's words for a statement that it can't send at all. */
const misuse: ReadonlySet<string> = new Set([
  'UNDEFINED_VALUE',
  'MAX_PARAMETERS_EXCEEDED',
  'NOT_TAGGED_CALL'
])

export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'UNKNOWN'
}

function withoutValues(cause: unknown): unknown {
  if (!(cause instanceof postgres.PostgresError)) return cause
  // The messages of class 22 (data exception) quote the value.
  const message = cause.code.startsWith('22') ? 'Invalid data' : cause.message
  return Object.assign(new Error(message), {
    code: cause.code,
    constraint_name: cause.constraint_name,
    table_name: cause.table_name,
    column_name: cause.column_name,
    routine: cause.routine
  })
}
