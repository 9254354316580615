import { uuidv7 } from 'uuidv7'
import type { AuditEvent } from '../audit/events.js'
import type { Clock } from '../clock.js'
import type { Database, Queries } from '../database/connection.js'
import type { Receipt } from '../revocation/announcer.js'
import type { RevocationService } from '../revocation/revocation.js'
import type { Cause } from '../revocation/recorder.js'
import type { AccessTokens } from '../tokens/access-tokens.js'
import { createCredentials, type Credentials } from './credentials.js'
import { createKnownSessions } from './known-sessions.js'
import {
  createRefreshTokens,
  newSalt,
  parseRefreshToken,
  type PresentedRefreshToken
} from './refresh-token.js'
import { createRefreshStatements } from './refresh-statements.js'
import { createRotation, endOf, type GenuineRefreshToken } from './rotation.js'
import {
  deleteSessionsBefore,
  findSession,
  insertSession,
  listSessions,
  type NewSession,
  revokedSession
} from './store.js'

const keepEndedMs = 24 * 3_600_000
const rowsPerCleanUp = 1_000

export interface SessionOptions {
  readonly database: Database
  readonly revocation: RevocationService
  readonly accessTokens: AccessTokens
  readonly refreshSecret: string
  readonly idleTtlSeconds: number
  readonly maxTtlSeconds: number
  readonly graceMs: number
  readonly clock: Clock
}

/** Where a session was opened from, as its owner will see it in the list. */
export interface Client {
  readonly ip: string
  readonly userAgent: string | null
}

/** A refresh token that would be exchanged if it were presented now. */
export interface LiveRefreshToken {
  readonly sessionId: string
  readonly userId: string
  readonly issuedAt: Date
  /** Unless it is used before: then the session goes on with its successor. */
  readonly expiresAt: Date
}

export type Sessions = ReturnType<typeof createSessions>

export function createSessions(options: SessionOptions) {
  const { database, revocation, accessTokens, idleTtlSeconds, maxTtlSeconds, clock } = options
  const idleMs = idleTtlSeconds * 1_000
  const refreshTokens = createRefreshTokens(options.refreshSecret)
  const issue = createCredentials({ accessTokens, refreshTokens, idleTtlSeconds, clock })

  const { activeKeyId } = accessTokens
  const known = createKnownSessions()
  const statements = createRefreshStatements({ database, activeKeyId, idleMs, clock })

  /** Revokes a session that lives, or announces once more that it was; undefined where neither can be. */
  async function end(
    sessionId: string,
    cause: Cause,
    found?: AuditEvent
  ): Promise<Receipt | undefined> {
    const recorded = await revocation.change(
      revokedSession(sessionId, new Date(clock())),
      { kind: 'session', target: sessionId },
      cause,
      found
    )
    const live = recorded ?? (await revocation.findLive('session', sessionId))
    return live && (await revocation.announce(live))
  }

  async function recordAndAnnounce(sessionId: string, userId: string | undefined, cause: Cause) {
    const order = { kind: 'session', target: sessionId, level: null } as const
    const owned = userId === undefined ? order : { ...order, userId }
    return await revocation.announce(
      await database.write((db) => revocation.record(db, owned, cause))
    )
  }

  /**
   * Revokes a session, or announces once more that it was: the same call again waits again. One
   * whose row is gone went with its account, and that may not be true on every node yet: it is
   * revoked for itself, so that whoever asked need not wait for somebody else's answer. A user revokes
   * no sessions but his own.
   *
   * @param found what led to it, for the audit; only what led to the first one counts
   * @returns undefined when it ended so long ago that no token of it is left
   * @throws RevocationUnconfirmed, DatabaseUnavailable
   */
  async function revoke(
    sessionId: string,
    cause: Cause,
    found?: AuditEvent
  ): Promise<Receipt | undefined> {
    const receipt = await end(sessionId, cause, found)
    if (receipt !== undefined) return receipt
    const session = await database.read((db) => findSession(db, sessionId))
    if (session !== undefined) return undefined
    const actor = cause.origin?.actor
    const owner = actor?.kind === 'user' ? actor.id : undefined
    return await recordAndAnnounce(sessionId, owner, cause)
  }

  async function find(presented: PresentedRefreshToken) {
    const asOfMs = clock()
    const session = await statements.find(presented.sessionId)
    if (session === undefined || !refreshTokens.isGenuine(presented, session.salt)) {
      return undefined
    }
    known.add(session)
    return { counter: presented.counter, session, found: { session, asOfMs } }
  }

  /** Proves a refresh token; undefined for anything that was not minted here. Changes nothing. */
  async function authenticate(token: string) {
    const presented = parseRefreshToken(token)
    return presented && (await find(presented))
  }

  /** The same, without a look at the database where the session is known: it need not be there any more. */
  async function recognise(token: string): Promise<GenuineRefreshToken | undefined> {
    const presented = parseRefreshToken(token)
    if (presented === undefined) return undefined
    const session = known.find(presented.sessionId)
    if (session === undefined) return await find(presented)
    if (!refreshTokens.isGenuine(presented, session.salt)) return undefined
    return { counter: presented.counter, session, found: undefined }
  }

  return {
    revoke,
    authenticate,
    recognise,

    /**
     * Revokes whichever session, and once more where it was revoked so long ago that this is
     * forgotten: the answer is a receipt in any case.
     *
     * @returns undefined where there is no such session
     * @throws RevocationUnconfirmed, DatabaseUnavailable
     */
    async revokeAgain(sessionId: string, cause: Cause): Promise<Receipt | undefined> {
      const receipt = await end(sessionId, cause)
      if (receipt !== undefined) return receipt
      const session = await database.read((db) => findSession(db, sessionId))
      return session && (await recordAndAnnounce(sessionId, session.userId, cause))
    },

    /**
     * What is known of a refresh token that is good for a refresh; undefined for any other. One that
     * was exchanged is not good any more, though its successor is answered again for a while.
     */
    async inspect(token: string): Promise<LiveRefreshToken | undefined> {
      const genuine = await authenticate(token)
      if (genuine === undefined) return undefined
      const { counter, found } = genuine
      const { session, asOfMs } = found
      if (endOf(session, { now: asOfMs, idleMs }) !== undefined) return undefined
      if (session.revokedAt !== null || session.counter !== counter) return undefined
      const { id: sessionId, userId, lastUsedAt, expiresAt } = session
      const idleAt = lastUsedAt.getTime() + idleMs
      return {
        sessionId,
        userId,
        issuedAt: lastUsedAt,
        expiresAt: new Date(Math.min(expiresAt.getTime(), idleAt))
      }
    },

    rotate: createRotation({
      database,
      issue,
      statements,
      revoke,
      idleMs,
      graceMs: options.graceMs,
      clock
    }),

    /**
     * Opens a session, with a single statement unless the key ring is being replaced.
     *
     * @param reason of the audit; null where nobody needs to know of it
     * @returns undefined when the user changed since `expectedVersion` was read
     */
    async open(
      db: Queries,
      user: { readonly id: string; readonly expectedVersion: number },
      client: Client,
      reason: 'login' | 'registration' | null
    ): Promise<Credentials | undefined> {
      const now = new Date(clock())
      const keyId = accessTokens.activeKeyId()
      const session = {
        id: uuidv7(),
        userId: user.id,
        expectedVersion: user.expectedVersion,
        salt: newSalt(),
        now,
        expiresAt: new Date(now.getTime() + maxTtlSeconds * 1_000),
        keyId,
        ...client
      }
      const event = reason === null ? null : openedEvent(session, reason)
      const opened = await insertSession(db, session, event)
      if (opened === undefined) return undefined
      known.add(session)
      const grant = { ...session, ...opened, keyIds: [keyId] }
      return await issue(grant, { counter: 0, asOfMs: now.getTime() }, (query) => query(db))
    },

    async list(userId: string) {
      const now = clock()
      return await database.read((db) =>
        listSessions(db, userId, { now: new Date(now), idleSince: new Date(now - idleMs) })
      )
    },

    /** Revokes one of a user's own sessions. @returns false where the user has no such session. */
    async revokeOwn(userId: string, sessionId: string, cause: Cause): Promise<boolean> {
      const session = await database.read((db) => findSession(db, sessionId))
      if (session?.userId !== userId) return false
      await revoke(sessionId, cause)
      return true
    },

    /** Deletes the rows of sessions that ended more than a day ago. */
    async cleanUp(): Promise<void> {
      const before = new Date(clock() - keepEndedMs)
      await database.write((db) => deleteSessionsBefore(db, before, rowsPerCleanUp))
    }
  }
}

function openedEvent(session: NewSession, reason: string): AuditEvent {
  const { id, userId, ip } = session
  return {
    action: 'session.opened',
    outcome: 'success',
    origin: { actor: { kind: 'user', id: userId }, ip },
    subject: { kind: 'session', id },
    userId,
    reason
  }
}
