import { createServer, type Server } from 'node:http'
import type { FastifyServerFactoryHandler, FastifyServerOptions } from 'fastify'
import { problemOf } from './http/framework-errors.js'
import { problemAnswer } from './http/problem-document.js'
import { newRequestId } from './http/request-id.js'
import { createResponseRegister, type ResponseRegister } from './http/response-register.js'
import { securityHeaders } from './http/security-headers.js'
import { createSocketAnswers } from './http/socket-answers.js'
import { loggerOptions, RequestLog, type LoggingConfig } from './logging.js'

export interface HttpServerConfig extends LoggingConfig {
  readonly publicUrl: string
  /** CIDR ranges whose X-Forwarded-* headers count. */
  readonly trustProxy: readonly string[]
}

/** Every deadline and bound of the HTTP layer, in milliseconds and bytes. */
export const httpBounds = {
  /** For the whole head of a request. */
  headersTimeoutMs: 10_000,
  /** For the whole request, body included; the answer is 408. */
  requestTimeoutMs: 15_000,
  /** How often Node looks for requests that are over these two. */
  timeoutCheckMs: 1000,
  /** Silence on a socket, after which it is cut without a word. */
  socketTimeoutMs: 30_000,
  /** Longer than the idle time of usual load balancers, so that they close first. */
  keepAliveTimeoutMs: 72_000,
  /** For an answer from the head of its request on; else it is 503, by the handler-deadline plugin. */
  handlerTimeoutMs: 10_000,
  bodyBytes: 16 * 1024,
  headerBytes: 16 * 1024,
  /** Of one path parameter; the answer is 414. */
  paramCharacters: 100
}

export interface HttpServerOptions {
  logger?: FastifyServerOptions['logger']
  /** For tests, which cannot wait for real deadlines. */
  bounds?: Partial<typeof httpBounds>
}

export const boundsOf = ({ bounds }: HttpServerOptions): typeof httpBounds => ({
  ...httpBounds,
  ...bounds
})

/** The options to construct Fastify with: the socket, the router and the log. */
export function fastifyOptions(
  config: HttpServerConfig,
  options: HttpServerOptions = {}
): FastifyServerOptions {
  const bounds = boundsOf(options)
  const baseHeaders = securityHeaders(config.publicUrl)
  const responses = createResponseRegister()
  const answers = createSocketAnswers(baseHeaders, responses.hasBegun)
  return {
    logger: options.logger ?? loggerOptions(config),
    logController: new RequestLog(),
    genReqId: newRequestId,
    requestIdHeader: false,
    trustProxy: config.trustProxy.length > 0 && [...config.trustProxy],
    bodyLimit: bounds.bodyBytes,
    routerOptions: { maxParamLength: bounds.paramCharacters },
    // The closing plugin answers instead, as a problem.
    return503OnClosing: false,
    serverFactory: (handler) => {
      const server = createNodeServer(handler, bounds, responses)
      server.on('checkExpectation', answers.expectation)
      server.on('connect', answers.connect)
      return server
    },
    clientErrorHandler: answers.clientError,
    frameworkErrors: (error, request, reply) => {
      const { status, headers, body } = problemAnswer(problemOf(error), request.id)
      reply.raw
        .writeHead(status, { ...baseHeaders, ...headers, 'content-length': body.length })
        .end(body)
      request.log.info({ req: request, res: reply }, 'request')
    }
  }
}

function createNodeServer(
  handler: FastifyServerFactoryHandler,
  bounds: typeof httpBounds,
  responses: ResponseRegister
): Server {
  const server = createServer({
    headersTimeout: bounds.headersTimeoutMs,
    requestTimeout: bounds.requestTimeoutMs,
    connectionsCheckingInterval: bounds.timeoutCheckMs,
    keepAliveTimeout: bounds.keepAliveTimeoutMs,
    maxHeaderSize: bounds.headerBytes,
    // Node would answer a missing Host with an empty 400; the request-headers plugin refuses it.
    requireHostHeader: false
  })
  server.setTimeout(bounds.socketTimeoutMs)
  server.on('request', (request, response) => {
    responses.add(request.socket, response)
    handler(request, response)
  })
  return server
}
