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
export function bearerToken(request: Pick<FastifyRequest, 'raw'>): string | undefined {
  const header = authorizationOf(request.raw.rawHeaders)
  if (header === undefined) return undefined
  // Nearly every request writes it so.
  if (header.startsWith('Bearer ') && header.charCodeAt(7) > 0x20) return header.slice(7)
  return bearer.exec(header)?.[1]
}

/**
 * From the list of headers as they came: Node makes its object of them at the first look, which costs
 * more than all else here, and drops the second of two Authorization headers silently.
 */
function authorizationOf(rawHeaders: readonly string[]): string | undefined {
  let found: string | undefined
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]
    if (name?.length !== 13 || !isAuthorization(name)) continue
    if (found !== undefined) {
      throw problem('BAD_REQUEST', {
        detail: 'Send one Authorization header.',
        headers: { 'www-authenticate': 'Bearer error="invalid_request"' }
      })
    }
    found = rawHeaders[index + 1]
  }
  return found
}

const isAuthorization = (name: string): boolean =>
  name === 'authorization' || name === 'Authorization' || name.toLowerCase() === 'authorization'
