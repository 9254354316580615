import type { RecordedAuditEvent } from '../../src/audit/search.js'

/** What any answer of the service may hold: a test says what it expects by reading it. */
export interface AnswerBody {
  readonly code?: string
  readonly title?: string
  readonly status?: number
  readonly detail?: string
  readonly type?: string
  readonly instance?: string
  readonly errors?: readonly { readonly path: string; readonly message: string }[]
  readonly accessToken?: string
  readonly refreshToken?: string
  readonly tokenType?: string
  readonly expiresIn?: number
  readonly sessionId?: string
  readonly user?: AnsweredUser
  readonly users?: readonly AnsweredUser[]
  readonly nextCursor?: string | null
  readonly sessions?: readonly AnsweredSession[]
  readonly tokenVersion?: number
  readonly receipt?: AnsweredReceipt | null
  readonly revocation?: AnsweredRevocation
  readonly revocations?: readonly AnsweredRevocation[]
  readonly nodes?: readonly AnsweredNode[]
  readonly generation?: number
  readonly incident?: AnsweredIncident
  readonly incidents?: readonly AnsweredIncident[]
  readonly estimate?: Readonly<Record<string, number>>
  readonly client?: AnsweredClient
  readonly clientSecret?: string
  readonly clients?: readonly AnsweredClient[]
  readonly events?: readonly AnsweredAuditEvent[]
  readonly active?: boolean
  readonly keys?: readonly Record<string, string>[]
  readonly redis?: string
  readonly database?: string
}

export interface AnsweredUser {
  readonly id: string
  readonly email: string
  readonly name: string
  readonly roles: readonly string[]
  readonly emailVerified: boolean
  readonly createdAt: string
  /** For administrators only. */
  readonly disabled?: boolean
}

export interface AnsweredSession {
  readonly id: string
  readonly current: boolean
  readonly createdAt: string
  readonly lastUsedAt: string
  readonly expiresAt: string
  readonly ip: string
  readonly userAgent: string | null
}

export interface AnsweredReceipt {
  readonly revocationId: string
  readonly acknowledgedAt: string
  readonly guarantee: string
  readonly nodes: readonly { readonly id: string; readonly appliedAfterMs: number | null }[]
}

export interface AnsweredRevocation {
  readonly id: string
  readonly kind: string
  readonly target: string | null
  readonly reason: string
  readonly actorId: string | null
  readonly createdAt: string
  readonly liveUntil: string
  readonly confirmedAt?: string | null
}

export interface AnsweredNode {
  readonly id: string
  readonly startedAt: string
  readonly mode: string
  readonly lagMs: number | null
  readonly applied: boolean
  readonly leaseMsLeft: number | null
}

export interface AnsweredIncident {
  readonly id: string
  readonly target: Readonly<Record<string, string>>
  readonly status: string
  readonly startedAt: string
  readonly sessionsExpected: number
  readonly sessionsRevoked: number
  readonly batches: number
  readonly finishedAt: string | null
  readonly receipt: AnsweredReceipt | null
}

export interface AnsweredClient {
  readonly id: string
  readonly name: string
  readonly createdAt: string
  readonly createdBy?: string | null
  readonly revokedAt?: string | null
}

export interface AnsweredAuditEvent extends Omit<RecordedAuditEvent, 'occurredAt'> {
  readonly occurredAt: string
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly cookies: readonly string[]
  readonly text: string
  /** Empty where the answer was not JSON. */
  readonly body: AnswerBody
}

export interface Ask {
  readonly token?: string | undefined
  readonly body?: unknown
  readonly headers?: Record<string, string>
  /** Gives the call up. */
  readonly signal?: AbortSignal
}

type Verb = (path: string, ask?: Ask) => Promise<Answer>

export interface Client {
  readonly url: string
  readonly send: (method: string, path: string, ask?: Ask) => Promise<Answer>
  readonly get: Verb
  readonly post: Verb
  readonly patch: Verb
  readonly delete: Verb
}

/** Sends whole requests over real sockets; nothing is followed, retried or stored. */
export function createClient(url: string): Client {
  async function send(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    const response = await fetch(`${url}${path}`, {
      method,
      redirect: 'manual',
      headers: {
        ...(ask.token === undefined ? {} : { authorization: `Bearer ${ask.token}` }),
        ...(ask.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...ask.headers
      },
      ...(ask.body === undefined ? {} : { body: textOf(ask.body) }),
      ...(ask.signal === undefined ? {} : { signal: ask.signal })
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      cookies: response.headers.getSetCookie(),
      text,
      body: parse(response, text)
    }
  }

  return {
    url,
    send,
    get: (path, ask) => send('GET', path, ask),
    post: (path, ask) => send('POST', path, ask),
    patch: (path, ask) => send('PATCH', path, ask),
    delete: (path, ask) => send('DELETE', path, ask)
  }
}

/** A string is sent as it stands, so that a test can send what is no JSON. */
function textOf(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body)
}

function parse(response: Response, text: string): AnswerBody {
  if (!(response.headers.get('content-type') ?? '').includes('json') || text === '') return {}
  return JSON.parse(text) as AnswerBody
}
