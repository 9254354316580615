import { DatabaseUnavailable } from './database/connection.js'
import type { LoginSpread } from './incidents/login-spread.js'
import { HashQueueFull } from './passwords/queue.js'
import { retryAfterHeaders } from './http/retry-after.js'
import { type Problem, problem } from './problems.js'
import { RevocationUnconfirmed } from './revocation/announcer.js'

/**
 * What a caller may know of an error of the domain; undefined where it is no business of theirs. While
 * many log in again, whom the hash queue turns away is asked to come back in turn.
 */
export function translateError(
  error: unknown,
  loginSpread: Pick<LoginSpread, 'retryAfterSeconds'>
): Problem | undefined {
  if (error instanceof HashQueueFull) {
    const headers = retryAfterHeaders(loginSpread)
    return problem('OVERLOADED', { headers, cause: error })
  }
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
