import { createConnection } from 'node:net'
import { text } from 'node:stream/consumers'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import {
  boundsOf,
  fastifyOptions,
  type HttpServerConfig,
  type HttpServerOptions
} from '../../src/http-server.js'
import closing from '../../src/plugins/closing.js'
import handlerDeadline from '../../src/plugins/handler-deadline.js'
import jsonBody from '../../src/plugins/json-body.js'
import methodNotAllowed from '../../src/plugins/method-not-allowed.js'
import problems, { type ProblemsOptions } from '../../src/plugins/problems.js'
import requestHeaders from '../../src/plugins/request-headers.js'
import securityHeaders from '../../src/plugins/security-headers.js'
import validation from '../../src/plugins/validation.js'

export interface HttpAppOptions extends HttpServerOptions, ProblemsOptions {
  config?: Partial<HttpServerConfig>
  /** Adds plugins and routes between the shared plugins and the answer to what no route takes. */
  routes?: (app: FastifyInstance) => Promise<void> | void
}

/** The HTTP layer without a domain, listening on a port of its own until `t` ends. */
export async function startHttpApp(
  t: Test,
  { config, routes, translate, ...options }: HttpAppOptions = {}
): Promise<{ app: FastifyInstance; url: string; port: number }> {
  const settings: HttpServerConfig = {
    environment: 'production',
    logLevel: 'silent',
    publicUrl: 'http://keycard.test',
    trustProxy: [],
    ...config
  }
  const app = Fastify(fastifyOptions(settings, { logger: false, ...options }))
  await app.register(handlerDeadline, boundsOf(options))
  await app.register(problems, translate ? { translate } : {})
  await app.register(closing)
  await app.register(securityHeaders, { publicUrl: settings.publicUrl })
  await app.register(requestHeaders)
  await app.register(jsonBody)
  await app.register(validation)
  await routes?.(app)
  await app.register(methodNotAllowed)
  t.teardown(() => app.close())
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, url, port: Number(new URL(url).port) }
}

export interface RawAnswer {
  status: number
  headers: Map<string, string>
  body: string
}

/** Sends bytes as they are and reads until the server closes the connection. */
export async function sendRaw(port: number, bytes: string): Promise<RawAnswer> {
  const socket = createConnection({ host: '127.0.0.1', port })
  socket.write(bytes, 'latin1')
  return parseAnswer(await text(socket))
}

/** The first answer in what a server sent. */
export function parseAnswer(received: string): RawAnswer {
  const [head = '', ...rest] = received.split('\r\n\r\n')
  const [statusLine = '', ...lines] = head.split('\r\n')
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: new Map(headers),
    body: rest.join('\r\n\r\n')
  }
}
