import { and, gt, isNull, sql } from 'drizzle-orm'
import type { Queries } from '../database/connection.js'
import { nodes } from '../database/schema.js'
import type { HashSpeed } from '../passwords/passwords.js'

/** How long it takes until everybody has logged in again, when every node does nothing but hash. */
export interface LoginEstimate {
  /** One hash of the configured cost, on this machine. */
  readonly hashMs: number
  /** Of all nodes together. */
  readonly hashesPerSecond: number
  readonly nodes: number
  /** Whole seconds; 0 where nobody has to. */
  readonly estimatedLoginSeconds: number
}

/** Nodes give a sign of life every second. */
const isPresent = gt(nodes.heartbeatAt, sql`now() - interval '15 seconds'`)

/** Nodes of the service itself: guards of other services hash nothing. At least 1. */
export async function countNodes(db: Queries): Promise<number> {
  return Math.max(1, await db.$count(nodes, and(isNull(nodes.clientId), isPresent)))
}

/** Supposes that the other nodes are as fast as this machine. */
export function estimateLogins(
  accounts: number,
  { hashMs, concurrency }: HashSpeed,
  nodeCount: number
): LoginEstimate {
  const hashesPerSecond = (1_000 / hashMs) * concurrency * nodeCount
  return {
    hashMs,
    hashesPerSecond,
    nodes: nodeCount,
    estimatedLoginSeconds: Math.ceil(accounts / hashesPerSecond)
  }
}
