import type { AuditEvent } from '../audit/events.js'
import type { Origin } from '../audit/origin.js'
import type { Clock } from '../clock.js'
import type { Database } from '../database/connection.js'
import type { Receipt } from '../revocation/announcer.js'
import type { Cause } from '../revocation/recorder.js'
import type { Credentials, IssueCredentials } from './credentials.js'
import type { SessionIdentity } from './known-sessions.js'
import type { RefreshStatements } from './refresh-statements.js'
import type { AdvancedSession, Step } from './refresh-store.js'
import type { SessionFacts } from './store.js'

/** A refresh token whose MAC is right. */
export interface GenuineRefreshToken {
  readonly counter: number
  readonly session: SessionIdentity
  /** Undefined where its session is one that was known: nothing was looked up. */
  readonly found: FoundSession | undefined
}

export interface FoundSession {
  readonly session: SessionFacts
  /** Before it was read, in ms since the epoch. */
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

type Rotated = Extract<Rotation, { readonly credentials: Credentials }>
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
  async function advance(
    { counter, session }: Pick<GenuineRefreshToken, 'counter' | 'session'>,
    move: (step: Step) => Promise<AdvancedSession | undefined>
  ): Promise<Rotated | undefined> {
    const now = clock()
    const advanced = await move({ id: session.id, counter })
    if (advanced === undefined) return undefined
    const at = { counter: counter + 1, asOfMs: now }
    const { id, userId, salt } = session
    return {
      kind: 'rotated',
      credentials: await issue({ userId, salt, ...advanced, id }, at, database.write)
    }
  }

  async function look(sessionId: string): Promise<FoundSession | undefined> {
    const asOfMs = clock()
    const session = await statements.find(sessionId)
    return session && { session, asOfMs }
  }

  async function attempt(counter: number, { session, asOfMs }: FoundSession): Promise<Attempt> {
    const end = endOf(session, { now: clock(), idleMs })
    if (end !== undefined) return ended(end, session)
    // Only a database that was set back can lag behind a token that it issued.
    if (counter > session.counter) return { kind: 'ended', reason: 'ahead of the database' }

    const isPrevious = counter === session.counter - 1
    const isInGrace = isPrevious && clock() - session.lastUsedAt.getTime() < graceMs
    if (counter !== session.counter && !isInGrace) return { kind: 'superseded' }
    if (session.revokedAt !== null) return ended('revoked', session)
    if (!isInGrace) {
      const rotation = await advance({ counter, session }, statements.advance)
      return rotation ?? { kind: 'lost' }
    }
    const at = { counter: session.counter, asOfMs }
    return { kind: 'repeated', credentials: await issue(session, at, database.write) }
  }

  /**
   * Exchanges a refresh token. The current one gets a successor; the one before it gets the same
   * successor again within the grace, so that tabs and retries can race; an older one was stolen,
   * or its successor was, so the session ends (RFC 9700 §4.14.2).
   *
   * The token of a known session is exchanged first and looked into where that fails: nearly all are
   * current ones, and the exchange checks all there is to check.
   *
   * @throws RevocationUnconfirmed, DatabaseUnavailable
   */
  return async function rotate(token: GenuineRefreshToken, origin: Origin): Promise<Rotation> {
    const { counter } = token
    if (token.found === undefined) {
      const rotation = await advance(token, statements.advanceFree)
      if (rotation !== undefined) return rotation
    }
    let found = token.found ?? (await look(token.session.id))
    for (let count = 0; count < attempts; count++) {
      if (found === undefined) return { kind: 'ended', reason: 'gone' }
      const { session } = found
      const outcome = await attempt(counter, found)
      if (outcome.kind === 'superseded') {
        const cause = { reason: 'refresh token reused', origin }
        const event = reuseEvent(session, counter, origin)
        return { kind: 'reused', receipt: await revoke(session.id, cause, event) }
      }
      if (outcome.kind !== 'lost') return outcome
      found = await look(session.id)
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
