import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type Problem, problem } from '../problems.js'

const invalidRequest = { 'www-authenticate': 'Bearer error="invalid_request"' }

/**
 * Refuses requests that two readers could understand differently: without Host, with two of a header
 * that has one value, or with NUL in the URL, which no identifier has and Postgres cannot store.
 */
async function requestHeaders(app: FastifyInstance): Promise<void> {
  app.addHook('onRequest', (request, _reply, done) => {
    done(faultOf(request))
  })
}

function faultOf({ raw, url }: FastifyRequest): Problem | undefined {
  let hosts = 0
  let authorizations = 0
  let contentTypes = 0
  for (let index = 0; index < raw.rawHeaders.length; index += 2) {
    const name = raw.rawHeaders[index] ?? ''
    // By the length first: this runs for each header of each request.
    if (name.length === 4) hosts += is(name, 'host')
    else if (name.length === 13) authorizations += is(name, 'authorization')
    else if (name.length === 12) contentTypes += is(name, 'content-type')
  }
  if (hosts > 1) return repeated('host')
  // RFC 6750 §3.1: more than one way of sending the token is an invalid request.
  if (authorizations > 1) return repeated('authorization', invalidRequest)
  if (contentTypes > 1) return repeated('content-type')
  if (hosts === 0 && raw.httpVersion !== '1.0') {
    return problem('BAD_REQUEST', { detail: 'The header host is required.' })
  }
  if (url.includes('%00')) {
    return problem('BAD_REQUEST', { detail: 'The URL must not contain NUL.' })
  }
  return undefined
}

/** 1 where a header has this name, in whatever case, and else 0. */
function is(name: string, wanted: string): 0 | 1 {
  return name.toLowerCase() === wanted ? 1 : 0
}

/**
 * Of these Node keeps the first and drops the rest. A proxy in front may have decided by the last,
 * so two are an attempt at something (RFC 9110 §5.3, RFC 9112 §3.2 for Host).
 */
function repeated(name: string, headers: Readonly<Record<string, string>> = {}): Problem {
  return problem('BAD_REQUEST', { detail: `The header ${name} must not be repeated.`, headers })
}

export default fp(requestHeaders, { name: 'request-headers', fastify: '5.x' })
