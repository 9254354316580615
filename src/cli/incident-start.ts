import { uuidv7 } from 'uuidv7'
import { DatabaseUnavailable } from '../database/connection.js'
import { insist } from '../incidents/insist.js'
import type { IncidentTarget } from '../incidents/target.js'
import { CommandError, refused } from './command-error.js'
import type { Deployment } from './deployment.js'
import { exitCodes } from './exit-codes.js'
import { operatorOrigin } from './operator.js'

/** For so long it is asked whether a start took place whose answer was lost. */
const lookMs = 20_000

/**
 * Starts an incident, and looks whether it is there where the answer was lost on the way.
 *
 * @returns its id
 * @throws CommandError, DatabaseUnavailable where nothing was started
 */
export async function startIncident(
  { services: { incidents } }: Deployment,
  target: IncidentTarget,
  reason: string
): Promise<string> {
  const id = uuidv7()
  try {
    const started = await incidents.start({ id, target, reason, origin: operatorOrigin() })
    if (started.kind === 'started') return id
    throw tooManySpared()
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable) || wasNeverSent(error)) throw error
    const found = await insist(AbortSignal.timeout(lookMs), () => incidents.find(id)).catch(() => {
      throw unknown(id, error)
    })
    if (found === undefined) throw unknown(id, error)
    return id
  }
}

function wasNeverSent({ reason }: DatabaseUnavailable): boolean {
  return reason === 'away' || reason === 'busy' || reason === 'closed'
}

function unknown(id: string, cause: DatabaseUnavailable): CommandError {
  return new CommandError(
    exitCodes.unavailable,
    `Postgres went away during the start, and whether it took place is not known: look with keycard incidents show ${id}, and start again if there is none.`,
    { cause }
  )
}

/** What a dry run says as well. */
export function tooManySpared() {
  return refused('So many sessions can not be spared: name fewer accounts. Nothing was done.')
}
