import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { problem } from '../problems.js'

/**
 * Headers of which Node keeps the first and drops the rest. A proxy in front may have decided by
 * the last, so two are an attempt at something (RFC 9110 §5.3, RFC 9112 §3.2 for Host).
 */
const singletons = ['host', 'authorization', 'content-type']

const invalidRequest = { 'www-authenticate': 'Bearer error="invalid_request"' }

/**
 * Refuses requests that two readers could understand differently: without Host, with two of a header
 * that has one value, or with NUL in the URL, which no identifier has and Postgres cannot store.
 */
async function requestHeaders(app: FastifyInstance): Promise<void> {
  app.addHook('onRequest', async (request) => {
    const counts = countSingletons(request)
    const repeated = singletons.find((name) => (counts.get(name) ?? 0) > 1)
    if (repeated !== undefined) {
      throw problem('BAD_REQUEST', {
        detail: `The header ${repeated} must not be repeated.`,
        // RFC 6750 §3.1: more than one way of sending the token is an invalid request.
        headers: repeated === 'authorization' ? invalidRequest : {}
      })
    }
    if (!counts.has('host') && request.raw.httpVersion !== '1.0') {
      throw problem('BAD_REQUEST', { detail: 'The header host is required.' })
    }
    if (request.url.includes('%00')) {
      throw problem('BAD_REQUEST', { detail: 'The URL must not contain NUL.' })
    }
  })
}

function countSingletons({ raw }: FastifyRequest): Map<string, number> {
  const counts = new Map<string, number>()
  for (let index = 0; index < raw.rawHeaders.length; index += 2) {
    const name = raw.rawHeaders[index]?.toLowerCase() ?? ''
    if (singletons.includes(name)) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}

export default fp(requestHeaders, { name: 'request-headers', fastify: '5.x' })
