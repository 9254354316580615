import type { AuditEvent } from '../audit/events.js'
import type { Origin } from '../audit/origin.js'
import type { Clock } from '../clock.js'
import type { Database } from '../database/connection.js'
import type { Receipt } from '../revocation/announcer.js'
import type { Cause } from '../revocation/recorder.js'
import type { Credentials, IssueCredentials } from './credentials.js'
import type { RefreshStatements } from './refresh-statements.js'
import type { SessionFacts } from './store.js'

/** A refresh token whose MAC is right, with its session as it was found then. */
export interface GenuineRefreshToken {
  readonly counter: number
  readonly session: SessionFacts
  /** Before the session was read, in ms since the epoch. */
  readonly asOfMs: number
}

export type Rotation =
  | { readonly kind: 'rotated' | 'repeated'; readonly credentials: Credentials }
  | { readonly kind: 'reused'; readonly receipt: Receipt | undefined }
  | {
      readonly kind: 'ended'
      readonly reason: string
      /** Where it was revoked while many were: until when they are asked to come back in turn. */
      readonly loginsSpreadUntil?: Date
    }

type Attempt =
  | Exclude<Rotation, { readonly kind: 'reused' }>
  | { readonly kind: 'superseded' }
  | { readonly kind: 'lost' }

export interface RotationOptions {
  readonly database: Database
  readonly issue: IssueCredentials
  readonly statements: RefreshStatements
  readonly revoke: (
    sessionId: string,
    cause: Cause,
    found: AuditEvent
  ) => Promise<Receipt | undefined>
  readonly idleMs: number
  readonly graceMs: number
  readonly clock: Clock
}

const attempts = 3

/**
 * Why a session can't be refreshed, whatever the counter says and unless it was revoked itself;
 * undefined while it can. Times in milliseconds.
 */
export function endOf(
  session: SessionFacts,
  { now, idleMs }: { now: number; idleMs: number }
): string | undefined {
  if (session.expiresAt.getTime() <= now) return 'expired'
  if (session.lastUsedAt.getTime() <= now - idleMs) return 'idle'
  if (session.userDisabledAt !== null) return 'account disabled'
  if (session.version !== session.userVersion) return 'user revoked'
  if (session.generation !== session.currentGeneration) return 'everyone revoked'
  return undefined
}

const revocations = ['revoked', 'user revoked', 'everyone revoked']

function ended(reason: string, { loginsSpreadUntil }: SessionFacts): Attempt {
  const isSpread = loginsSpreadUntil !== null && revocations.includes(reason)
  return { kind: 'ended', reason, ...(isSpread ? { loginsSpreadUntil } : {}) }
}

export function createRotation({
  database,
  issue,
  statements,
  revoke,
  idleMs,
  graceMs,
  clock
}: RotationOptions) {
  async function advance(session: SessionFacts): Promise<Attempt> {
    const now = clock()
    const advanced = await statements.advance(session)
    if (advanced === undefined) return { kind: 'lost' }
    const at = { counter: session.counter + 1, asOfMs: now }
    return {
      kind: 'rotated',
      credentials: await issue({ ...session, ...advanced }, at, database.write)
    }
  }

  async function attempt({ counter, session, asOfMs }: GenuineRefreshToken): Promise<Attempt> {
    const end = endOf(session, { now: clock(), idleMs })
    if (end !== undefined) return ended(end, session)
    // Only a database that was set back can lag behind a token that it issued.
    if (counter > session.counter) return { kind: 'ended', reason: 'ahead of the database' }

    const isPrevious = counter === session.counter - 1
    const isInGrace = isPrevious && clock() - session.lastUsedAt.getTime() < graceMs
    if (counter !== session.counter && !isInGrace) return { kind: 'superseded' }
    if (session.revokedAt !== null) return ended('revoked', session)
    if (!isInGrace) return await advance(session)
    const at = { counter: session.counter, asOfMs }
    return { kind: 'repeated', credentials: await issue(session, at, database.write) }
  }

  /**
   * Exchanges a refresh token. The current one gets a successor; the one before it gets the same
   * successor again within the grace, so that tabs and retries can race; an older one was stolen,
   * or its successor was, so the session ends (RFC 9700 §4.14.2).
   *
   * @throws RevocationUnconfirmed, DatabaseUnavailable
   */
  return async function rotate(token: GenuineRefreshToken, origin: Origin): Promise<Rotation> {
    let { session, asOfMs } = token
    for (let count = 0; count < attempts; count++) {
      const outcome = await attempt({ ...token, session, asOfMs })
      if (outcome.kind === 'superseded') {
        const cause = { reason: 'refresh token reused', origin }
        const found = reuseEvent(session, token.counter, origin)
        return { kind: 'reused', receipt: await revoke(session.id, cause, found) }
      }
      if (outcome.kind !== 'lost') return outcome
      asOfMs = clock()
      const found = await statements.find(token.session.id)
      if (found === undefined) break
      session = found
    }
    return { kind: 'ended', reason: 'changed while it was being refreshed' }
  }
}

/** Tells a client that came back too late from a token that was stolen long ago, as far as can be told. */
function reuseEvent(session: SessionFacts, counter: number, origin: Origin): AuditEvent {
  const isPrevious = counter === session.counter - 1
  return {
    action: 'session.refresh_reused',
    outcome: 'refused',
    origin,
    subject: { kind: 'session', id: session.id },
    userId: session.userId,
    reason: isPrevious ? 'the previous token, after its grace' : 'an older token',
    details: { counter, currentCounter: session.counter }
  }
}
