import type { PostmasterOptions } from './postmaster.js'
import { StartError } from './start-error.js'

/** A part of the service's log; a pino logger is one. */
export interface EmbeddedLog {
  info: (message: string) => void
  warn: (message: string) => void
  error: (message: string) => void
}

/** A data directory and all that is needed to run Postgres on it. */
export interface Site extends Omit<PostmasterOptions, 'port'> {
  /** The folder as the user knows it; `directory` lies in it. */
  dataDir: string
  password: string
  passwordFile: string
  log: EmbeddedLog
}

const ownPostgres = 'set DATABASE_URL to a Postgres of your own'

export function alreadyRunning({ dataDir }: Site): StartError {
  return new StartError(
    `Another Keycard runs on the data directory ${dataDir}. ` +
      `Stop it, or set KEYCARD_DATA_DIR to another folder, or ${ownPostgres}.`
  )
}

export function notStarted({ dataDir }: Site, output: string): StartError {
  return new StartError(
    `The embedded Postgres of ${dataDir} did not start; ${ownPostgres}, or see what it said:\n${output}`
  )
}

export function wrongPassword({ dataDir, passwordFile }: Site): StartError {
  return new StartError(
    `The database in ${dataDir} doesn't take the password in ${passwordFile}. ` +
      'Put the file back that was made with the database, or set KEYCARD_DATA_DIR to another folder.'
  )
}
