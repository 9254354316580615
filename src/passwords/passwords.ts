import { availableParallelism } from 'node:os'
import { createHashing } from './hashing.js'
import type { Hashing } from './hashing.js'
import { normalisePassword } from './normalise.js'
import { createPasswordPolicy } from './policy.js'
import type { CheckPassword } from './policy.js'
import { createHashQueue } from './queue.js'
import type { HashLoad } from './queue.js'
import type { Argon2Cost } from './stored-hash.js'
import { createVerifyPassword } from './verification.js'
import type { VerifyPassword } from './verification.js'

const samples = 3

export interface PasswordsOptions {
  /** The shortest new password, in code points. */
  readonly minLength: number
  /** The cost of new hashes. */
  readonly argon2: Argon2Cost
  /** How many hashes may wait while others run. */
  readonly queueLimit: number
  /** Threads of the libuv pool: UV_THREADPOOL_SIZE. */
  readonly threadPoolSize: number
  /** How long a hash may wait for its turn: 1.5 s, which leaves the answer inside 2 s. */
  readonly waitDeadlineMs?: number
  /** The hash functions; tests wrap them to count. */
  readonly hashing?: Hashing
}

export interface Passwords {
  /** Whether a new password is good enough. Costs no hash. */
  check: CheckPassword
  /**
   * Makes the hash to store of a password that `check` has let pass.
   *
   * @throws {HashQueueFull} nothing was hashed: overloaded, try again later
   */
  hash: (password: string) => Promise<string>
  verify: VerifyPassword
  /** For metrics. */
  load: () => HashLoad
  /** How long a hash of the configured cost takes on this machine. Measured once, beside the queue. */
  measure: () => Promise<HashSpeed>
}

export interface HashSpeed {
  readonly hashMs: number
  /** How many this process runs at once. */
  readonly concurrency: number
}

/** Checks, hashes and verifies passwords, with a bound on what that may take from the process. */
export function createPasswords(options: PasswordsOptions): Passwords {
  const { minLength, argon2, queueLimit, threadPoolSize, waitDeadlineMs = 1500 } = options
  const hashing = options.hashing ?? createHashing(argon2)
  const concurrency = hashConcurrency(threadPoolSize)
  let measured: Promise<number> | undefined
  const queue = createHashQueue({ concurrency, limit: queueLimit, waitDeadlineMs })

  async function hash(password: string): Promise<string> {
    const candidate = normalisePassword(password)
    if (candidate.kind === 'unusable') throw new TypeError('Only a checked password can be hashed')
    return await queue.run(() => hashing.hash(candidate.password))
  }

  return {
    check: createPasswordPolicy(minLength),
    hash,
    verify: createVerifyPassword(hashing, queue, argon2),
    load: queue.load,
    async measure() {
      measured ??= measure(hashing)
      try {
        return { hashMs: await measured, concurrency }
      } catch (error) {
        measured = undefined
        throw error
      }
    }
  }
}

/** The fastest of a few: the others were disturbed. In milliseconds. */
async function measure(hashing: Hashing): Promise<number> {
  const times: number[] = []
  for (let sample = 0; sample < samples; sample++) {
    const startedAt = performance.now()
    await hashing.hash('how long does this take')
    times.push(performance.now() - startedAt)
  }
  return Math.min(...times)
}

/** At most one per core, and two fewer than the pool has threads: DNS and files need some. */
export function hashConcurrency(threadPoolSize: number): number {
  return Math.max(1, Math.min(availableParallelism(), threadPoolSize - 2))
}
