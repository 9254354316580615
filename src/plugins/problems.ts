import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { problemOf } from '../http/framework-errors.js'
import { problemAnswer } from '../http/problem-document.js'
import type { Problem } from '../problems.js'

export interface ProblemsOptions {
  /** Turns an error of the domain into what the caller may know of it. */
  translate?: (error: unknown) => Problem | undefined
}

/**
 * Answers every error as application/problem+json (RFC 9457) and gives every answer its x-request-id.
 * What is not a Problem, translated, or a known refusal of Fastify becomes a 500 that says nothing.
 */
async function problems(app: FastifyInstance, { translate }: ProblemsOptions): Promise<void> {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })

  app.setErrorHandler((error, request, reply) => {
    const found = translate?.(error) ?? problemOf(error)
    log(request, found)
    return send(found, request, reply)
  })
}

function send(found: Problem, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, headers, body } = problemAnswer(found, request.id)
  return reply.code(status).headers(headers).send(body)
}

function log(request: FastifyRequest, found: Problem): void {
  const err = found.cause ?? found
  if (found.code === 'INTERNAL_ERROR') request.log.error({ err }, 'a request hit a bug')
  else if (found.status >= 500 && found.code !== 'SHUTTING_DOWN')
    request.log.warn({ err, code: found.code }, found.title)
  else request.log.debug({ code: found.code }, found.title)
}

export default fp(problems, { name: 'problems', fastify: '5.x' })
