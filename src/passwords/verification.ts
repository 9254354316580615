import { createDummyHash } from './hashing.js'
import type { Hashing } from './hashing.js'
import { normalisePassword } from './normalise.js'
import type { HashQueue } from './queue.js'
import { isOutdated, parseStoredHash } from './stored-hash.js'
import type { Argon2Cost, StoredHash, StoredHashFlaw } from './stored-hash.js'

export interface PasswordVerification {
  readonly matches: boolean
  /** Only ever true of a match: store a new hash of the password in its place. */
  readonly needsRehash: boolean
  /** Set where the stored hash is of no use, whatever the password: for the log. */
  readonly flaw?: StoredHashFlaw
}

/**
 * Compares a password with a stored hash: argon2 or bcrypt ($2a$, $2b$, $2y$). Without one (the
 * account is unknown), with one that is of no use, or with a password that nobody can have, the
 * answer is no, and costs the same as a wrong password does.
 *
 * An imported hash costs what its own parameters say until it is rehashed.
 *
 * @throws {HashQueueFull} nothing was compared: overloaded, try again later
 */
export type VerifyPassword = (
  password: string,
  stored: string | undefined
) => Promise<PasswordVerification>

export function createVerifyPassword(
  hashing: Hashing,
  queue: HashQueue,
  configured: Argon2Cost
): VerifyPassword {
  const dummy = createDummyHash(configured)

  function compare(target: StoredHash, password: string): Promise<boolean> {
    switch (target.kind) {
      case 'argon2':
        return hashing.verifyArgon2(target.encoded, password)
      case 'bcrypt':
        return hashing.verifyBcrypt(target.encoded, password)
      case 'unusable':
        return hashing.verifyArgon2(dummy, password)
    }
  }

  return async function verifyPassword(password, stored) {
    const candidate = normalisePassword(password)
    const known = candidate.kind === 'usable' && stored !== undefined
    const target = parseStoredHash(stored ?? dummy)
    const equal = await queue.run(() =>
      compare(target, candidate.kind === 'usable' ? candidate.password : '')
    )
    if (target.kind === 'unusable') {
      return { matches: false, needsRehash: false, flaw: target.flaw }
    }
    const matches = known && equal
    return { matches, needsRehash: matches && isOutdated(target, configured) }
  }
}
