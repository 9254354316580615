import { setTimeout as pause } from 'node:timers/promises'
import { DatabaseUnavailable } from '../database/connection.js'
import { type Receipt, RevocationUnconfirmed } from '../revocation/announcer.js'
import type { CommandContext } from './command.js'
import type { Deployment } from './deployment.js'

const retryMs = 250

type Waiter = Pick<CommandContext, 'terminal' | 'interruption'>

/**
 * The receipt of what `revoke` does. Where it is recorded and not confirmed in time, the wait goes on,
 * if that is wanted, until it is or somebody presses Ctrl-C.
 *
 * @throws RevocationUnconfirmed, DatabaseUnavailable
 */
export async function confirmed<T>(
  deployment: Deployment,
  waiter: Waiter,
  { wait = false }: { readonly wait?: boolean },
  revoke: () => Promise<T>
): Promise<T | Receipt> {
  try {
    return await revoke()
  } catch (error) {
    if (!wait || !(error instanceof RevocationUnconfirmed)) throw error
    return await goOnWaiting(deployment, waiter, error)
  }
}

async function goOnWaiting(
  { revocation: service }: Deployment,
  { terminal, interruption }: Waiter,
  first: RevocationUnconfirmed
): Promise<Receipt> {
  const signal = interruption()
  let last = first
  while (!signal.aborted) {
    terminal.progress(inWords(last))
    try {
      const revocation = await service.find(first.revocationId)
      if (revocation === undefined) throw first
      return await service.announce(revocation)
    } catch (error) {
      if (error === first) throw error
      if (error instanceof DatabaseUnavailable) {
        last = new RevocationUnconfirmed(first.revocationId, [], { cause: error })
        await pause(retryMs)
      } else if (error instanceof RevocationUnconfirmed) last = error
      else throw error
    }
  }
  throw last
}

function inWords({ waitingFor, cause }: RevocationUnconfirmed): string {
  if (cause instanceof DatabaseUnavailable) return 'Recorded. Waiting for Postgres …'
  if (waitingFor.length === 0) return 'Recorded. Waiting …'
  return `Recorded. Waiting for ${waitingFor.length} node(s): ${waitingFor.join(', ')} …`
}
