import type { FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify'
import { LogController } from 'fastify'
import { describeError } from './http/error-description.js'

type LoggerOptions = Exclude<FastifyServerOptions['logger'], boolean | undefined>

export interface LoggingConfig {
  readonly environment: 'development' | 'production'
  readonly logLevel: string
}

/** Names that carry secrets or personal data, wherever somebody logs an object with one. */
const secretNames = [
  'password',
  'currentPassword',
  'newPassword',
  'accessToken',
  'refreshToken',
  'token',
  'authorization',
  'cookie',
  'set-cookie',
  'secret',
  'clientSecret',
  'email',
  'body'
]

const redactedPaths = secretNames.flatMap((name) => [`["${name}"]`, `*["${name}"]`])

/** Beyond this a path is noise. */
const pathLimit = 200

/** The pattern of the route if there is one, else the path: never the query string. */
const pathOf = (request: FastifyRequest): string =>
  request.routeOptions.url ?? request.url.replace(/[?#].*$/su, '').slice(0, pathLimit)

const serializers = {
  req: (request: FastifyRequest) => ({
    method: request.method,
    path: pathOf(request),
    ip: request.ip
  }),
  res: ({ statusCode }: { statusCode: number }) => ({ status: statusCode }),
  err: describeError
}

/**
 * Without a message of its own pino prints the error's, which may carry SQL, parameters or what the
 * caller sent; the serializer above has already said what may be said.
 */
const hooks: NonNullable<LoggerOptions['hooks']> = {
  logMethod(args, method) {
    const [first, message]: unknown[] = args
    const isError = first instanceof Error
    const carriesError = isError || (typeof first === 'object' && first !== null && 'err' in first)
    if (!carriesError || message !== undefined) method.apply(this, args)
    else method.apply(this, [isError ? { err: first } : first, 'an error occurred'])
  }
}

/**
 * Fastify's logger option. Logged are method, route, status, duration, address and request id:
 * no query string, header, cookie, body, token, SQL or parameter.
 *
 * In development on a terminal the lines are for people, anywhere else they are JSON.
 */
export function loggerOptions(
  { environment, logLevel }: LoggingConfig,
  isTerminal: boolean = process.stdout.isTTY
): LoggerOptions {
  return {
    level: logLevel,
    serializers,
    redact: { paths: redactedPaths, censor: '[redacted]' },
    hooks,
    ...(environment === 'development' &&
      isTerminal && {
        transport: {
          target: 'pino-pretty',
          options: { ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l' }
        }
      })
  }
}

/** One line per request, when it is answered, instead of one before and one after. */
export class RequestLog extends LogController {
  override incomingRequest(): void {
    // The line is written when there is something to say.
  }

  override requestCompleted(
    error: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply
  ): void {
    if (this.isLogDisabled(request)) return
    const line = { req: request, res: reply, durationMs: Math.round(reply.elapsedTime) }
    if (error) reply.log.error({ ...line, err: error }, 'request failed')
    else reply.log.info(line, 'request')
  }
}
