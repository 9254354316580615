import { uuidv7 } from 'uuidv7'
import { insertUser, findUserByEmail, type User } from '../accounts/store.js'
import type { Clock } from '../clock.js'
import { type Database, isUniqueViolation } from '../database/connection.js'
import type { Log } from '../revocation/log.js'
import { deleteRevocationsFor } from '../revocation/store.js'
import type { Sessions } from '../sessions/sessions.js'
import { deleteSession } from '../sessions/store.js'

/** Whose sessions these are. Nobody can log in as it: no password has this hash. */
const email = 'canary@keycard.invalid'
const noPasswordHash = '!'
export const canaryReason = 'canary'

const visitMs = 2_000

/** What a node said to the canary's token. */
type Answer = 'accepted' | 'revoked' | 'no answer'

/** What one round found out. */
export interface CanaryRound {
  /** Nodes that took the token after its revocation was answered. There must be none. */
  readonly liars: readonly string[]
  /** Nodes that could not be asked, or did not know. */
  readonly silent: readonly string[]
}

export interface CanaryOptions {
  readonly database: Database
  readonly sessions: Pick<Sessions, 'open' | 'revoke'>
  /** The origin of every node. */
  readonly targets: readonly string[]
  readonly clock: Clock
  readonly log: Log
}

export type Canary = ReturnType<typeof createCanary>

/**
 * Proves from outside what Keycard promises: opens a session of its own, shows its token to every
 * node, revokes it, and shows it again.
 */
export function createCanary(options: CanaryOptions) {
  const { database, sessions, targets, clock, log } = options

  async function account(): Promise<User> {
    const known = await database.read((db) => findUserByEmail(db, email))
    if (known !== undefined) return known
    const entry = {
      id: uuidv7(),
      email,
      name: 'Canary',
      passwordHash: noPasswordHash,
      roles: []
    }
    try {
      return await database.write((db) => insertUser(db, entry, new Date(clock())))
    } catch (error) {
      if (isUniqueViolation(error, 'users_email_unique')) return await account()
      throw error
    }
  }

  async function open() {
    const user = await account()
    const owner = { id: user.id, expectedVersion: user.tokenVersion }
    const client = { ip: '127.0.0.1', userAgent: 'keycard-canary' }
    // Not audited, as nobody did anything: it would be one event every few seconds.
    const session = await database.write((db) => sessions.open(db, owner, client, null))
    if (session === undefined) throw new Error('The canary could not open a session')
    return session
  }

  async function showEverywhere(token: string): Promise<Map<string, Answer>> {
    const answers = targets.map(async (target) => [target, await show(target, token)] as const)
    return new Map(await Promise.all(answers))
  }

  return {
    /**
     * One round. Where the revocation is not confirmed, nothing is claimed and nothing is found.
     *
     * @throws RevocationUnconfirmed, DatabaseUnavailable
     */
    async fly(): Promise<CanaryRound> {
      const { sessionId, accessToken } = await open()
      const before = await showEverywhere(accessToken)
      await sessions.revoke(sessionId, { reason: canaryReason, origin: null })
      const after = await showEverywhere(accessToken)
      const liars = targets.filter((target) => after.get(target) === 'accepted')
      for (const target of liars) {
        log.error({ event: 'canary.accepted', target, sessionId }, 'A revoked token was accepted')
      }
      await database.write((db) => deleteSession(db, sessionId))
      await database.write((db) => deleteRevocationsFor(db, canaryReason, new Date(clock())))
      const silent = targets.filter(
        (target) => before.get(target) !== 'accepted' || after.get(target) === 'no answer'
      )
      return { liars, silent }
    }
  }
}

async function show(target: string, token: string): Promise<Answer> {
  try {
    const answer = await fetch(new URL('/api/auth/me', target), {
      headers: { authorization: `Bearer ${token}` },
      redirect: 'error',
      signal: AbortSignal.timeout(visitMs)
    })
    await answer.arrayBuffer()
    if (answer.status === 200) return 'accepted'
    return answer.status === 401 ? 'revoked' : 'no answer'
  } catch {
    return 'no answer'
  }
}
