import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Accounts } from '../accounts/accounts.js'
import { bearerToken } from '../plugins/bearer-token.js'
import { authenticatedUser, refusal } from '../plugins/guard.js'
import { Problem, problem } from '../problems.js'
import type { Sessions } from '../sessions/sessions.js'
import type { AccessTokens } from '../tokens/access-tokens.js'
import { originOf, userOrigin } from './origin.js'
import { presentedRefreshToken, RefreshBodySchema } from './refresh-token.js'
import { closed, ReceiptSchema } from './schemas.js'

export interface LogoutRoutesOptions {
  readonly accounts: Accounts
  readonly sessions: Sessions
  readonly accessTokens: AccessTokens
}

const LogoutAllAnswerSchema = closed({ tokenVersion: Type.Integer(), receipt: ReceiptSchema })

/** How sessions end. Each answer comes when what it ends is dead on every node. */
const logoutRoutes: FastifyPluginAsyncTypebox<LogoutRoutesOptions> = async function logoutRoutes(
  app,
  { accounts, sessions, accessTokens }
) {
  app.post(
    '/logout',
    {
      schema: {
        summary: 'End this session',
        description: 'With its access token or its refresh token; again is no error.',
        tags: ['Sessions'],
        security: [{ bearer: [] }, { refreshCookie: [] }, {}],
        body: RefreshBodySchema,
        response: { 204: Type.Null() }
      }
    },
    async function logout(request, reply) {
      const refreshToken = request.body?.refreshToken
      const session = await sessionToEnd(request, refreshToken)
      const origin = originOf(request, { kind: 'user', id: session.userId })
      await sessions.revoke(session.id, { reason: 'logout', origin })
      request.log.info({
        event: 'auth.logged_out',
        sessionId: session.id,
        userId: session.userId
      })
      if (refreshToken === undefined) app.refreshCookie.clear(reply)
      return await reply.code(204).send(null)
    }
  )

  /** A token that is genuine is enough, revoked or not: what it ends may be ended already. */
  async function sessionToEnd(request: FastifyRequest, fromBody: string | undefined) {
    const bearer = bearerToken(request)
    const verification = bearer === undefined ? undefined : accessTokens.verify(bearer)
    if (verification?.kind === 'valid') {
      return { id: verification.claims.sid, userId: verification.claims.sub }
    }
    const presented = presentedRefreshToken(app, request, fromBody)
    if (presented !== undefined) {
      const token = await sessions.authenticate(presented.token)
      if (token === undefined) throw problem('INVALID_REFRESH_TOKEN')
      return token.session
    }
    if (verification?.kind === 'expired') throw refusal('TOKEN_EXPIRED')
    if (verification?.kind === 'invalid') throw refusal('INVALID_TOKEN')
    throw problem('MISSING_TOKEN')
  }

  app.post(
    '/logout-all',
    {
      schema: {
        summary: 'End every session of this account',
        tags: ['Sessions'],
        security: [{ bearer: [] }],
        response: { 200: LogoutAllAnswerSchema }
      }
    },
    async function logoutAll(request, reply) {
      try {
        await app.authenticate(request, reply)
      } catch (error) {
        // The same call again, after an answer that it was recorded and not yet confirmed.
        const confirmed = isRevoked(error) && (await confirmPending(request))
        if (confirmed) return confirmed
        throw error
      }
      const user = authenticatedUser(request)
      const outcome = await accounts.logOutEverywhere(user.id, userOrigin(request))
      if (outcome === undefined) throw refusal('TOKEN_REVOKED')
      request.log.info({ event: 'auth.logged_out_everywhere', userId: user.id })
      app.refreshCookie.clear(reply)
      return outcome
    }
  )

  async function confirmPending(request: FastifyRequest) {
    const verification = accessTokens.verify(bearerToken(request) ?? '')
    if (verification.kind !== 'valid') return undefined
    const { sub, ver } = verification.claims
    return await accounts.confirmLogOutEverywhere(sub, ver)
  }
}

export default logoutRoutes

function isRevoked(error: unknown): boolean {
  return error instanceof Problem && error.code === 'TOKEN_REVOKED'
}
