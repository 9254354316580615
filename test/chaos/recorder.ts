import type { Answer, Ask, Client } from '../support/client.js'
import type {
  AccessToken,
  Call,
  Fault,
  History,
  Outcome,
  RefreshToken,
  Revocation,
  Span
} from './history.js'

/** A token as it is sent, with what it is covered by. */
export interface Held<Facts> {
  readonly text: string
  readonly facts: Facts
}

/** What a login or a refresh brings. */
export interface Pair {
  readonly access: Held<AccessToken>
  readonly refresh: Held<RefreshToken>
}

/** What is known of a call before it is answered. */
export type Intent =
  | { readonly kind: 'visit'; readonly token: AccessToken }
  | { readonly kind: 'refresh'; readonly token: RefreshToken }
  | { readonly kind: 'login' }
  | ({ readonly kind: 'revocation' } & Omit<Revocation, keyof Span | 'kind' | 'node' | 'outcome'>)

export interface Request {
  readonly method: string
  readonly path: string
  readonly ask: Ask
}

export interface Result extends Span {
  readonly outcome: Outcome
  /** Undefined where there was no answer. */
  readonly answer: Answer | undefined
}

export interface Recorder {
  readonly call: (node: number, intent: Intent, request: Request) => Promise<Result>
  /** Reads the tokens of an answer and notes them; undefined where it brought none. */
  readonly pair: (result: Result, ordinal: number) => Pair | undefined
  readonly fault: (fault: Fault) => void
  /** Whether this node accepted a token that was sent since that moment. */
  readonly hasAccepted: (node: number, since: number) => boolean
  /** Whether this node seems to answer: it owes few answers and did not just hang up. */
  readonly isReady: (node: number) => boolean
  /** Done when every call has been answered or given up. */
  readonly finish: () => Promise<History>
}

/** Long after every deadline; a node that is frozen so long is an answer that never came. */
const giveUpMs = 15_000
const mostOpen = 12
const shunMs = 250

/** Sends calls and writes down what became of each, on one monotonic clock. */
export function createRecorder(clients: readonly Client[]): Recorder {
  const calls: Call[] = []
  const tokens: AccessToken[] = []
  const faults: Fault[] = []
  const open = new Set<Promise<unknown>>()
  const openAt = clients.map(() => 0)
  const lostAt = clients.map(() => Number.NEGATIVE_INFINITY)
  const acceptedAt = clients.map(() => Number.NEGATIVE_INFINITY)

  async function send(node: number, request: Request): Promise<Result> {
    const client = clients[node]
    if (client === undefined) throw new RangeError(`There is no node ${node}`)
    const { method, path, ask } = request
    const start = performance.now()
    try {
      const signal = AbortSignal.timeout(giveUpMs)
      const answer = await client.send(method, path, { ...ask, signal })
      return { start, end: performance.now(), outcome: outcomeOf(answer), answer }
    } catch (error) {
      const outcome = { kind: 'unanswered', reason: reasonOf(error) } as const
      return { start, end: performance.now(), outcome, answer: undefined }
    }
  }

  async function call(node: number, intent: Intent, request: Request): Promise<Result> {
    openAt[node] = (openAt[node] ?? 0) + 1
    const sent = send(node, request)
    open.add(sent)
    const result = await sent
    open.delete(sent)
    openAt[node] -= 1
    const { start, end, outcome, answer } = result
    const level = answer?.body.tokenVersion
    const learned = intent.kind === 'revocation' && level !== undefined ? { level } : {}
    calls.push({ ...intent, ...learned, node, start, end, outcome })
    if (answer === undefined) lostAt[node] = end
    if (intent.kind === 'visit' && answer?.status === 200) acceptedAt[node] = start
    return result
  }

  return {
    call,
    pair({ answer, start, end }, ordinal) {
      const { accessToken, refreshToken } = answer?.body ?? {}
      if (accessToken === undefined || refreshToken === undefined) return undefined
      const access = factsOf(accessToken, { start, end })
      tokens.push(access)
      const { jti, expiresAt, ...covered } = access
      return {
        access: { text: accessToken, facts: access },
        refresh: { text: refreshToken, facts: { ...covered, ordinal } }
      }
    },
    fault: (fault) => {
      faults.push(fault)
    },
    hasAccepted: (node, since) => (acceptedAt[node] ?? since) > since,
    isReady: (node) =>
      (openAt[node] ?? 0) < mostOpen && performance.now() - (lostAt[node] ?? 0) > shunMs,
    async finish() {
      while (open.size > 0) await Promise.all(open)
      return { nodes: clients.length, calls, tokens, faults, end: performance.now() }
    }
  }
}

function outcomeOf({ status, body, headers }: Answer): Outcome {
  return {
    kind: 'answered',
    status,
    ...(body.code === undefined ? {} : { code: body.code }),
    retryAfter: headers.has('retry-after')
  }
}

/** undici wraps what the socket said. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (cause instanceof Error && 'code' in cause) return String(cause.code)
  return error.name === 'TimeoutError' ? 'NO_ANSWER' : error.message
}

/** The claims of a token that this service has just handed out. */
function factsOf(token: string, minted: Span): AccessToken {
  const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()
  const { jti, sid, sub, ver, gen, exp } = JSON.parse(payload) as AccessToken & { exp: number }
  return { jti, sid, sub, ver, gen, minted, expiresAt: exp * 1_000 - performance.timeOrigin }
}
