/**
 * Every error that Keycard can answer, in one list (RFC 9457). The code is what clients switch on and
 * never changes its meaning; the title is constant per type (§3.1.3); the advice tells the caller what
 * to do next and is the detail wherever the place that found the problem has nothing better to say.
 */

interface ProblemDefinition {
  readonly status: number
  readonly title: string
  readonly advice: string
  /** Seconds until a retry makes sense, sent as Retry-After unless the thrower knows better. */
  readonly retryAfterSeconds?: number
  /** What a 401 sends as WWW-Authenticate unless the thrower knows better: Bearer by default. */
  readonly challenge?: string
}

const definitions = {
  BAD_REQUEST: {
    status: 400,
    title: 'The request is malformed',
    advice: 'Send a well-formed HTTP/1.1 request: a valid URL and one of each header.'
  },
  VALIDATION_FAILED: {
    status: 400,
    title: 'The request does not match the schema',
    advice: 'Correct the fields named in errors; fields that are not documented are refused.'
  },
  MALFORMED_BODY: {
    status: 400,
    title: 'The request body is not acceptable JSON',
    advice: 'Send one JSON object in UTF-8, without NUL characters or __proto__ keys.'
  },
  MISSING_TOKEN: {
    status: 401,
    title: 'An access token is required',
    advice: 'Send the access token in the header Authorization: Bearer <token>.'
  },
  INVALID_TOKEN: {
    status: 401,
    title: 'The access token is not valid',
    advice: 'Log in again to get an access token from this service.'
  },
  TOKEN_EXPIRED: {
    status: 401,
    title: 'The access token has expired',
    advice: 'Get a new access token with the refresh token, then repeat the request.'
  },
  TOKEN_REVOKED: {
    status: 401,
    title: 'The access token has been revoked',
    advice: 'Try the refresh token once; if it is refused as well, log in again.'
  },
  INVALID_CREDENTIALS: {
    status: 401,
    title: 'The e-mail address or the password is wrong',
    advice: 'Check the e-mail address and the password.'
  },
  INVALID_REFRESH_TOKEN: {
    status: 401,
    title: 'The refresh token is not valid',
    advice: 'Log in again: the refresh token is missing, unknown, expired or revoked.'
  },
  REFRESH_REUSED: {
    status: 401,
    title: 'The refresh token had already been used',
    advice: 'Log in again: the session was ended, because its refresh token may have been stolen.'
  },
  INVALID_CLIENT: {
    status: 401,
    title: 'The client is not authenticated',
    advice: 'Send the id and the secret of a client that an operator issued, by HTTP Basic.',
    challenge: 'Basic realm="keycard"'
  },
  FORBIDDEN: {
    status: 403,
    title: 'This account may not do that',
    advice: 'Ask an administrator for the role that this needs.'
  },
  ACCOUNT_DISABLED: {
    status: 403,
    title: 'The account is disabled',
    advice: 'Ask an administrator to enable the account.'
  },
  CROSS_ORIGIN: {
    status: 403,
    title: 'The request comes from a foreign origin',
    advice: 'Send the request from an origin that the service allows.'
  },
  NOT_FOUND: {
    status: 404,
    title: 'There is nothing here',
    advice: 'Check the path and the ids in it; /docs lists what there is.'
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    title: 'The method is not allowed here',
    advice: 'Use one of the methods in the Allow header.'
  },
  REQUEST_TIMEOUT: {
    status: 408,
    title: 'The request took too long to arrive',
    advice: 'Send the whole request without pausing.'
  },
  EMAIL_TAKEN: {
    status: 409,
    title: 'The e-mail address is taken',
    advice: 'Log in with this e-mail address, or register another one.'
  },
  LAST_ADMIN: {
    status: 409,
    title: 'There is no other administrator',
    advice: 'Give the role admin to another account that is enabled, then repeat the request.'
  },
  BODY_TOO_LARGE: {
    status: 413,
    title: 'The request body is too large',
    advice: 'Send a smaller body.'
  },
  URI_TOO_LONG: {
    status: 414,
    title: 'The URL is too long',
    advice: 'Send a shorter URL.'
  },
  UNSUPPORTED_MEDIA_TYPE: {
    status: 415,
    title: 'The media type is not supported',
    advice: 'Send the body as application/json, without a content encoding.'
  },
  EXPECTATION_FAILED: {
    status: 417,
    title: 'The expectation cannot be met',
    advice: 'Leave the Expect header out, or send 100-continue.'
  },
  WEAK_PASSWORD: {
    status: 422,
    title: 'The password is too weak',
    advice: 'Choose a longer password that is not on a list of common ones.'
  },
  RATE_LIMITED: {
    status: 429,
    title: 'Too many requests',
    advice: 'Wait for the seconds named in Retry-After.',
    retryAfterSeconds: 1
  },
  HEADERS_TOO_LARGE: {
    status: 431,
    title: 'The request headers are too large',
    advice: 'Send fewer or smaller headers and cookies.'
  },
  INTERNAL_ERROR: {
    status: 500,
    title: 'Something went wrong on our side',
    advice: 'Try again later; if it stays, report the request id in instance.'
  },
  OVERLOADED: {
    status: 503,
    title: 'The service is overloaded',
    advice: 'Wait for the seconds named in Retry-After, then repeat the request.',
    retryAfterSeconds: 2
  },
  DEPENDENCY_UNAVAILABLE: {
    status: 503,
    title: 'The service cannot decide right now',
    advice: 'Wait for the seconds named in Retry-After, then repeat the request.',
    retryAfterSeconds: 2
  },
  SHUTTING_DOWN: {
    status: 503,
    title: 'This node is shutting down',
    advice: 'Repeat the request on a new connection; another node will answer it.',
    retryAfterSeconds: 1
  }
} as const satisfies Record<string, ProblemDefinition>

/** The stable, machine-readable name of an error. */
export type ProblemCode = keyof typeof definitions

/** One broken rule: where (a JSON pointer, RFC 6901) and what would be right. Never the value itself. */
export interface FieldError {
  readonly path: string
  readonly message: string
}

export interface ProblemOptions {
  /** For the caller's eyes: must not name hosts, queries, libraries or values that were sent. */
  detail?: string
  /** Headers of the answer; names are taken without regard to case. */
  headers?: Record<string, string>
  errors?: readonly FieldError[]
  /** What really happened. For the log only, never sent. */
  cause?: unknown
}

const slugOf = (code: ProblemCode): string => code.toLowerCase().replaceAll('_', '-')

const lowerCaseNames = (headers: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** An error that may be shown to the caller as it is. Made by {@link problem}. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly status: number
  /** The status again, by the name that Fastify's own error handler looks for in apps without ours. */
  readonly statusCode: number
  readonly title: string
  /** Relative on purpose (RFC 9457 §3.1.1): it is the path of the human-readable page. */
  readonly type: string
  readonly detail: string
  readonly headers: Readonly<Record<string, string>>
  readonly errors: readonly FieldError[] | undefined

  constructor(code: ProblemCode, options: ProblemOptions = {}) {
    const definition: ProblemDefinition = definitions[code]
    const { status, title, advice, retryAfterSeconds, challenge = 'Bearer' } = definition
    super(title, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.status = status
    this.statusCode = status
    this.title = title
    this.type = `/problems/${slugOf(code)}`
    this.detail = options.detail ?? advice
    this.headers = {
      // RFC 9110 §15.5.2: every 401 brings a challenge.
      ...(status === 401 ? { 'www-authenticate': challenge } : {}),
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
      ...lowerCaseNames(options.headers ?? {})
    }
    this.errors = options.errors
  }
}

/** Makes the error to throw: `throw problem('FORBIDDEN')`. 429 and 503 always bring a Retry-After. */
export function problem(code: ProblemCode, options?: ProblemOptions): Problem {
  return new Problem(code, options)
}

export interface ProblemEntry {
  readonly code: ProblemCode
  readonly status: number
  readonly title: string
  /** The last segment of the type: /problems/<slug>. */
  readonly slug: string
  readonly advice: string
}

const codes = Object.keys(definitions) as ProblemCode[]

/** Every problem there is, ordered by status. */
export const problemList: readonly ProblemEntry[] = codes.map((code) => {
  const { status, title, advice } = definitions[code]
  return { code, status, title, slug: slugOf(code), advice }
})
