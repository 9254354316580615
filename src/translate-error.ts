import { DatabaseUnavailable } from './database/connection.js'
import { HashQueueFull } from './passwords/queue.js'
import { type Problem, problem } from './problems.js'
import { RevocationUnconfirmed } from './revocation/announcer.js'

/** What a caller may know of an error of the domain; undefined where it is no business of theirs. */
export function translateError(error: unknown): Problem | undefined {
  if (error instanceof HashQueueFull) return problem('OVERLOADED', { cause: error })
  if (error instanceof DatabaseUnavailable) {
    return problem('DEPENDENCY_UNAVAILABLE', { cause: error })
  }
  if (error instanceof RevocationUnconfirmed) {
    return problem('DEPENDENCY_UNAVAILABLE', {
      detail:
        "The revocation is recorded and not yet confirmed: it takes effect by itself as soon as every node can be reached. A logout, a revocation or an administrator's change of an account can be repeated to wait for that.",
      cause: error
    })
  }
  return undefined
}
