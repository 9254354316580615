import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { closed } from './schemas.js'

/** The body is for clients that keep no cookies; all others send none. */
export const RefreshBodySchema = Type.Union([
  closed({ refreshToken: Type.Optional(Type.String({ maxLength: 256 })) }),
  Type.Null()
])

/**
 * The refresh token of a request and where it came from, so that its successor goes the same way.
 *
 * @throws Problem CROSS_ORIGIN where a cookie comes from a foreign page
 */
export function presentedRefreshToken(
  app: FastifyInstance,
  request: FastifyRequest,
  fromBody: string | undefined
): { readonly token: string; readonly delivery: 'cookie' | 'body' } | undefined {
  if (fromBody !== undefined) return { token: fromBody, delivery: 'body' }
  const token = app.refreshCookie.read(request)
  if (token === undefined) return undefined
  app.assertSameOrigin(request)
  return { token, delivery: 'cookie' }
}
