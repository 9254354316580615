import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { retryAfterHeaders } from '../http/retry-after.js'
import type { LoginSpread } from '../incidents/login-spread.js'
import { type Problem, problem } from '../problems.js'
import type { GenuineRefreshToken, Rotation } from '../sessions/rotation.js'
import type { Sessions } from '../sessions/sessions.js'
import { tokenAnswer } from './answers.js'
import { originOf } from './origin.js'
import { presentedRefreshToken, RefreshBodySchema } from './refresh-token.js'
import { TokenAnswerSchema } from './schemas.js'

export interface RefreshRoutesOptions {
  readonly sessions: Sessions
  readonly loginSpread: LoginSpread
}

/** How a session goes on. */
const refreshRoutes: FastifyPluginAsyncTypebox<RefreshRoutesOptions> = async function refreshRoutes(
  app,
  { sessions, loginSpread }
) {
  app.post(
    '/refresh',
    {
      schema: {
        summary: 'Exchange a refresh token for a new pair',
        description:
          'The refresh token comes from its cookie, or from the body. After many were logged out at once, a refusal says in Retry-After when to log in.',
        tags: ['Sessions'],
        security: [{ refreshCookie: [] }, {}],
        body: RefreshBodySchema,
        response: { 200: TokenAnswerSchema }
      },
      onRequest: app.limits.perIp('refreshPerIp')
    },
    async function refresh(request, reply) {
      const presented = presentedRefreshToken(app, request, request.body?.refreshToken)
      const token = presented && (await sessions.recognise(presented.token))
      if (presented === undefined || token === undefined) throw problem('INVALID_REFRESH_TOKEN')
      await app.limits.perAccount('refreshPerSession')(request, token.session.id)
      const outcome = await sessions.rotate(token, originOf(request))
      logRotation(request, token, outcome.kind, 'reason' in outcome ? outcome.reason : undefined)
      switch (outcome.kind) {
        case 'ended':
          throw ended(outcome, loginSpread)
        case 'reused':
          throw problem('REFRESH_REUSED')
        case 'rotated':
        case 'repeated':
          return tokenAnswer(app, reply, outcome.credentials, presented.delivery)
      }
    }
  )
}

export default refreshRoutes

/** Whoever was logged out together with many others is told when to log in. */
function ended(
  { loginsSpreadUntil }: Extract<Rotation, { readonly kind: 'ended' }>,
  loginSpread: LoginSpread
): Problem {
  loginSpread.note(loginsSpreadUntil)
  const headers = loginsSpreadUntil === undefined ? {} : retryAfterHeaders(loginSpread)
  return problem('INVALID_REFRESH_TOKEN', { headers })
}

function logRotation(
  request: FastifyRequest,
  { session, counter }: GenuineRefreshToken,
  outcome: string,
  reason: string | undefined
): void {
  const fields = { outcome, reason, counter, userId: session.userId, sessionId: session.id }
  if (outcome === 'reused') request.log.warn({ event: 'auth.refresh_reused', ...fields })
  else request.log.info({ event: 'auth.refreshed', ...fields })
}
