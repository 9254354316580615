import { BootstrapError } from '../accounts/bootstrap-admin.js'
import { ConfigError } from '../config.js'
import { MigrationError } from '../database/migrate.js'
import { StartError } from '../embedded/start-error.js'
import { KeyRingError } from '../tokens/key-ring-error.js'

/** What to do where the listener can't be opened, by the code of the system. */
const listenAdvice: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something else listens there. Set PORT to another port.',
  EACCES: 'this account may not listen there. Set PORT to a port above 1023.',
  EADDRNOTAVAIL: 'this machine has no such address. Set HOST to one that it has.',
  ENOTFOUND: 'this name has no address. Set HOST to an address of this machine.'
}

const forOperators = [ConfigError, KeyRingError, StartError, MigrationError, BootstrapError]

/** What to tell the person who starts the service: a sentence where we have one, else the stack. */
export function describeStartFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (forOperators.some((kind) => error instanceof kind)) return error.message
  const code = 'code' in error && typeof error.code === 'string' ? error.code : ''
  const advice = listenAdvice[code]
  return advice === undefined ? (error.stack ?? error.message) : `${error.message}: ${advice}`
}
