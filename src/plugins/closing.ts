import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { problem } from '../problems.js'

/**
 * While the server closes, requests in flight finish and later ones on open connections are sent to
 * another node; either way the connection ends with the answer, so that closing need not wait for it.
 */
async function closing(app: FastifyInstance): Promise<void> {
  let isClosing = false

  app.addHook('preClose', async () => {
    isClosing = true
  })

  app.addHook('onRequest', async () => {
    if (isClosing) throw problem('SHUTTING_DOWN')
  })

  app.addHook('onSend', async (_request, reply) => {
    if (isClosing) reply.header('connection', 'close')
  })
}

export default fp(closing, { name: 'closing', fastify: '5.x' })
