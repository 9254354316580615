import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { problem } from '../problems.js'

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
    app.addHook('onRequest', (_request, reply, done) => {
      const timer = setTimeout(giveUp, handlerTimeoutMs, reply)
      // Of an answer as of a connection that broke off.
      reply.raw.once('close', () => clearTimeout(timer))
      done()
    })
  },
  { name: 'handler-deadline', fastify: '5.x' }
)

function giveUp(reply: FastifyReply): void {
  if (reply.sent) return
  const { url = 'no route' } = reply.request.routeOptions
  const cause = new Error(`The handler of ${url} did not come to an end`)
  // An answer that has begun can't become another one.
  if (reply.raw.headersSent) reply.raw.destroy(cause)
  else void reply.send(problem('OVERLOADED', { cause }))
}
