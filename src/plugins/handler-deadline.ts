import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { problem } from '../problems.js'

declare module 'fastify' {
  interface FastifyRequest {
    handlerDeadline: NodeJS.Timeout | null
  }
}

export interface HandlerDeadlineOptions {
  /** From the head of a request to its answer. */
  readonly handlerTimeoutMs: number
}

/**
 * Answers 503 for a handler that does not come to an end. Fastify's own `handlerTimeout` makes an
 * AbortController for each request and, when it is answered, aborts it with a new DOMException and
 * its stack: a quarter of what a refresh costs, for a signal that nobody here listens to.
 */
export default fp<HandlerDeadlineOptions>(
  async function handlerDeadline(app, { handlerTimeoutMs }) {
    app.decorateRequest('handlerDeadline', null)

    app.addHook('onRequest', (request, reply, done) => {
      // Of a request that was broken off it rings in vain; it must not keep the process from ending.
      request.handlerDeadline = setTimeout(giveUp, handlerTimeoutMs, reply).unref()
      done()
    })

    app.addHook('onResponse', (request, _reply, done) => {
      if (request.handlerDeadline !== null) clearTimeout(request.handlerDeadline)
      done()
    })
  },
  { name: 'handler-deadline', fastify: '5.x' }
)

function giveUp(reply: FastifyReply): void {
  if (reply.sent) return
  // An answer that has begun can't become another one.
  if (reply.raw.headersSent) reply.raw.destroy()
  else void reply.send(problem('OVERLOADED'))
}
