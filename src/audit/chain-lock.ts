import { sql } from 'drizzle-orm'
import type { Queries } from '../database/connection.js'

/** Held by the one transaction that seals or prunes. Nobody who writes an event asks for it. */
const lockKey = 0x6b637365

/** Takes the chain until the transaction ends. @returns false where another transaction has it */
export async function takeChain(tx: Queries): Promise<boolean> {
  const [row] = await tx.execute<{ taken: boolean }>(
    sql`select pg_try_advisory_xact_lock(${lockKey}) as taken`
  )
  return row?.taken === true
}
