import type { FastifyRequest } from 'fastify'
import { problem } from '../problems.js'

/** Other white space than spaces stays with the token, which is then none (RFC 6750 §2.1). */
const bearer = /^bearer(?: +|(?=\s))(.+)$/i

/**
 * The access token of a request, from the Authorization header and nowhere else: not from the
 * query, a form or a cookie (RFC 6750 §2, RFC 9700 §4.3.2). Undefined where there is no bearer
 * token; what it holds is proved by nobody yet.
 *
 * @throws Problem BAD_REQUEST where the header stands there twice
 */
export function bearerToken(request: FastifyRequest): string | undefined {
  const header = request.headers.authorization
  if (header === undefined) return undefined
  if (countAuthorization(request.raw.rawHeaders) > 1) {
    throw problem('BAD_REQUEST', {
      detail: 'Send one Authorization header.',
      headers: { 'www-authenticate': 'Bearer error="invalid_request"' }
    })
  }
  // Nearly every request writes it so.
  if (header.startsWith('Bearer ') && header.charCodeAt(7) > 0x20) return header.slice(7)
  return bearer.exec(header)?.[1]
}

/** Node keeps the first of two Authorization headers and drops the other silently. */
function countAuthorization(rawHeaders: readonly string[]): number {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length === 13 && name.toLowerCase() === 'authorization') count++
  }
  return count
}
