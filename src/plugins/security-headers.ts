import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { securityHeaders } from '../http/security-headers.js'

export interface SecurityHeadersOptions {
  /** Where browsers reach the service; over https they are told to stay there. */
  publicUrl: string
}

/** Completes every answer with the strictest headers, except those that its route has set itself. */
async function completeHeaders(
  app: FastifyInstance,
  { publicUrl }: SecurityHeadersOptions
): Promise<void> {
  const headers = Object.entries(securityHeaders(publicUrl))
  app.addHook('onSend', async (_request, reply) => {
    for (const [name, value] of headers) {
      if (!reply.hasHeader(name)) reply.header(name, value)
    }
  })
}

export default fp(completeHeaders, { name: 'security-headers', fastify: '5.x' })
