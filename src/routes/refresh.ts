import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { problem } from '../problems.js'
import type { GenuineRefreshToken } from '../sessions/rotation.js'
import type { Sessions } from '../sessions/sessions.js'
import { tokenAnswer } from './answers.js'
import { originOf } from './origin.js'
import { presentedRefreshToken, RefreshBodySchema } from './refresh-token.js'
import { TokenAnswerSchema } from './schemas.js'

export interface RefreshRoutesOptions {
  readonly sessions: Sessions
}

/** How a session goes on. */
const refreshRoutes: FastifyPluginAsyncTypebox<RefreshRoutesOptions> = async function refreshRoutes(
  app,
  { sessions }
) {
  app.post(
    '/refresh',
    {
      schema: {
        summary: 'Exchange a refresh token for a new pair',
        description: 'The refresh token comes from its cookie, or from the body.',
        tags: ['Sessions'],
        security: [{ refreshCookie: [] }, {}],
        body: RefreshBodySchema,
        response: { 200: TokenAnswerSchema }
      },
      onRequest: app.limits.perIp('refreshPerIp')
    },
    async function refresh(request, reply) {
      const presented = presentedRefreshToken(app, request, request.body?.refreshToken)
      const token = presented && (await sessions.authenticate(presented.token))
      if (presented === undefined || token === undefined) throw problem('INVALID_REFRESH_TOKEN')
      await app.limits.perAccount('refreshPerSession')(request, token.session.id)
      const outcome = await sessions.rotate(token, originOf(request))
      logRotation(request, token, outcome.kind, 'reason' in outcome ? outcome.reason : undefined)
      switch (outcome.kind) {
        case 'ended':
          throw problem('INVALID_REFRESH_TOKEN')
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
