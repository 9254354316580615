import { ConfigError } from '../config.js'
import { DatabaseUnavailable } from '../database/connection.js'
import { codeOf, QueryFailed } from '../database/errors.js'
import { MigrationError } from '../database/migrate.js'
import { StartError } from '../embedded/start-error.js'
import { HashQueueFull } from '../passwords/queue.js'
import { RevocationUnconfirmed } from '../revocation/announcer.js'
import { KeyRingError } from '../tokens/key-ring-error.js'
import { CommandError } from './command-error.js'
import { type ExitCode, exitCodes } from './exit-codes.js'
import { IncidentLeft } from './incident-left.js'

/** Why a command failed: what to exit with, and what to tell whoever called it. */
export interface Failure {
  readonly exit: ExitCode
  readonly message: string
  /** Of a revocation that is recorded and not yet confirmed. */
  readonly revocationId?: string
  /** Of an incident that is recorded and not known to be true everywhere. */
  readonly incidentId?: string
}

/** Of the driver: the database answers, and lacks a table or column that this version expects. */
const unknownSchema = new Set(['42P01', '42703', '3F000'])

/** Puts any error into a sentence that says what to do. Never a stack, SQL or a parameter. */
export function describeFailure(error: unknown): Failure {
  if (error instanceof CommandError) return { exit: error.exit, message: error.message }
  if (error instanceof ConfigError) {
    return {
      exit: exitCodes.usage,
      message: `${error.message}\nRun keycard where the service runs, with the same environment.`
    }
  }
  if (error instanceof RevocationUnconfirmed) return unconfirmed(error)
  if (error instanceof IncidentLeft) return left(error)
  if (error instanceof DatabaseUnavailable) {
    return { exit: exitCodes.unavailable, message: unavailable(error) }
  }
  if (error instanceof MigrationError) {
    const isAway = error.cause instanceof DatabaseUnavailable
    return { exit: isAway ? exitCodes.unavailable : exitCodes.failed, message: error.message }
  }
  if (error instanceof QueryFailed && unknownSchema.has(codeOf(error.cause))) {
    const message = 'The database is not the one this version expects: run keycard migrate.'
    return { exit: exitCodes.failed, message }
  }
  if (error instanceof HashQueueFull) {
    return {
      exit: exitCodes.failed,
      message: 'This machine is too busy to hash a password: try again.'
    }
  }
  if (error instanceof StartError || error instanceof KeyRingError) {
    return { exit: exitCodes.failed, message: error.message }
  }
  return { exit: exitCodes.failed, message: unexpected(error) }
}

function unconfirmed({ revocationId, waitingFor }: RevocationUnconfirmed): Failure {
  const nodes = waitingFor.length === 0 ? 'Postgres or Redis' : `the nodes ${waitingFor.join(', ')}`
  return {
    exit: exitCodes.unconfirmed,
    revocationId,
    message:
      `Recorded, and not yet confirmed: waiting for ${nodes}. ` +
      `It takes effect by itself; see when with: keycard revoke confirm ${revocationId} --wait`
  }
}

function left({ incidentId, cause }: IncidentLeft): Failure {
  const why = cause instanceof DatabaseUnavailable ? 'Postgres does not answer.' : wordsOf(cause)
  return {
    exit: exitCodes.unconfirmed,
    incidentId,
    message:
      `The incident ${incidentId} is recorded, and not known to be true everywhere. ${why} ` +
      `A node goes on with it by itself; go on from here with: keycard incidents resume ${incidentId}`
  }
}

function wordsOf(error: unknown): string {
  return describeFailure(error).message
}

function unavailable({ reason, cause }: DatabaseUnavailable): string {
  const why = cause instanceof Error ? ` (${codeOf(cause)})` : ''
  switch (reason) {
    case 'refused':
      return `Postgres refuses to serve${why}: check DATABASE_URL, the account and its connections.`
    case 'late':
      return 'Postgres did not answer in time. Whether the change was made is not known: look, then try again.'
    case 'lost':
      return `The connection to Postgres failed${why}: check that it runs and that DATABASE_URL leads to it.`
    case 'away':
    case 'busy':
    case 'closed':
      return `Postgres does not answer${why}: check that it runs and that DATABASE_URL leads to it.`
  }
}

/** Our own bug, or the system's word for what is wrong with a file or an address. */
function unexpected(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const isOfSystem = 'syscall' in error
  return isOfSystem ? error.message : `Unexpected: ${error.message}`
}
