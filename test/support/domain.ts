import { createAccounts } from '../../src/accounts/accounts.js'
import { type Clock, systemClock } from '../../src/clock.js'
import type { Database } from '../../src/database/connection.js'
import { createHashing, type Hashing } from '../../src/passwords/hashing.js'
import { createPasswords } from '../../src/passwords/passwords.js'
import { createSessions } from '../../src/sessions/sessions.js'
import type { TestKeycard } from './keycard.js'

/**
 * The services of a running node, built once more on its own database and secrets: for what happens
 * between two steps that are one request over HTTP. `database` and `hashing` may be wrapped.
 */
export function domainOf(
  { app, accessTokens, config }: TestKeycard,
  options: { clock?: Clock; database?: Database; hashing?: Hashing } = {}
) {
  const { clock = systemClock, database = app.database } = options
  const hashing = options.hashing ?? createHashing(config.passwords.argon2)
  const { threadPoolSize } = config
  const passwords = createPasswords({ ...config.passwords, threadPoolSize, hashing })
  const { revocation } = app
  const sessions = createSessions({
    database,
    revocation,
    accessTokens,
    refreshSecret: config.refresh.secret ?? '',
    ...config.session,
    graceMs: config.refresh.graceMs,
    clock
  })
  const accounts = createAccounts({ database, passwords, sessions, revocation, clock })
  return { sessions, accounts, passwords }
}

/** Counts what is hashed, as it does it for real. */
export function countedHashing(keycard: TestKeycard): Hashing & { readonly jobs: string[] } {
  const real = createHashing(keycard.config.passwords.argon2)
  const jobs: string[] = []
  const counted =
    <A extends unknown[], T>(name: string, work: (...args: A) => Promise<T>) =>
    (...args: A) => {
      jobs.push(name)
      return work(...args)
    }
  return {
    jobs,
    hash: counted('hash', real.hash),
    verifyArgon2: counted('argon2', real.verifyArgon2),
    verifyBcrypt: counted('bcrypt', real.verifyBcrypt)
  }
}
