import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { authenticatedUser } from '../plugins/guard.js'
import { problem } from '../problems.js'
import type { Sessions } from '../sessions/sessions.js'
import { uuidPattern } from '../uuid.js'
import { sessionAnswer } from './answers.js'
import { userOrigin } from './origin.js'
import { closed, SessionListSchema } from './schemas.js'

export interface SessionRoutesOptions {
  readonly sessions: Sessions
}

/** The caller's sessions: where else this account is logged in. */
const sessionRoutes: FastifyPluginAsyncTypebox<SessionRoutesOptions> = async function sessionRoutes(
  app,
  { sessions }
) {
  app.addHook('onRequest', app.authenticate)
  const tags = ['Sessions']
  const security = [{ bearer: [] }]

  app.get(
    '/sessions',
    {
      schema: { summary: 'My sessions', tags, security, response: { 200: SessionListSchema } }
    },
    async function listSessions(request) {
      const { id, sessionId } = authenticatedUser(request)
      const own = await sessions.list(id)
      return { sessions: own.map((session) => sessionAnswer(session, sessionId)) }
    }
  )

  app.delete(
    '/sessions/:id',
    {
      schema: {
        summary: 'End one of my sessions',
        tags,
        security,
        params: closed({ id: Type.String() }),
        response: { 204: Type.Null() }
      }
    },
    async function endSession(request, reply) {
      const { id: userId, sessionId } = authenticatedUser(request)
      const { id } = request.params
      const cause = { reason: 'ended by its user', origin: userOrigin(request) }
      if (!uuidPattern.test(id) || !(await sessions.revokeOwn(userId, id, cause))) {
        throw problem('NOT_FOUND', { detail: 'You have no session with this id.' })
      }
      request.log.info({ event: 'auth.session_ended', userId, sessionId: id })
      if (id === sessionId) app.refreshCookie.clear(reply)
      return await reply.code(204).send(null)
    }
  )
}

export default sessionRoutes
