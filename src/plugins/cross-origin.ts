import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { isTrustedOrigin } from '../http/origin.js'
import { problem } from '../problems.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Throws CROSS_ORIGIN unless the request may use its cookies. For writes authenticated by one. */
    assertSameOrigin: (request: FastifyRequest) => void
  }
}

export interface CrossOriginOptions {
  publicUrl: string
  /** Exact origins whose pages may call the service with cookies. */
  allowedOrigins: readonly string[]
}

const preflightMaxAgeSeconds = 600

const exposedHeaders = [
  'retry-after',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
  'x-request-id',
  'www-authenticate'
]

/** CORS with credentials for the allowed origins, and the check that stops forged requests. */
async function crossOrigin(
  app: FastifyInstance,
  { publicUrl, allowedOrigins }: CrossOriginOptions
): Promise<void> {
  const trusted = new Set([new URL(publicUrl).origin, ...allowedOrigins])

  app.decorate('assertSameOrigin', ({ headers }) => {
    const found = { origin: headers.origin, secFetchSite: headers['sec-fetch-site'] }
    if (!isTrustedOrigin(found, trusted)) throw problem('CROSS_ORIGIN')
  })

  if (allowedOrigins.length === 0) return
  await app.register(cors, {
    // A foreign origin gets no CORS header at all, and its preflight falls through to 405.
    origin: async (origin: string | undefined) =>
      origin !== undefined && allowedOrigins.includes(origin),
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type'],
    exposedHeaders,
    maxAge: preflightMaxAgeSeconds,
    strictPreflight: false
  })
}

export default fp(crossOrigin, { name: 'cross-origin', fastify: '5.x' })
