import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import type { Administration } from '../../accounts/administration.js'
import type { User } from '../../accounts/store.js'
import { authenticatedUser, forbidden } from '../../plugins/guard.js'
import { problem } from '../../problems.js'
import type { Sessions } from '../../sessions/sessions.js'
import { uuidPattern } from '../../uuid.js'
import { receiptAnswer, sessionAnswer, userAnswer } from '../answers.js'
import { createCursors, defaultLimit } from '../cursor.js'
import { userOrigin } from '../origin.js'
import { closed, SessionListSchema } from '../schemas.js'
import {
  type AdminUserSchema,
  AdminUserAnswerSchema,
  ChangedUserSchema,
  ChangesSchema,
  NewUserSchema,
  UserPageSchema,
  UserQuerySchema
} from './user-schemas.js'

const ParamsSchema = closed({ id: Type.String() })
const cursors = createCursors('users')

export interface AdminUserRoutesOptions {
  readonly administration: Administration
  readonly sessions: Pick<Sessions, 'list'>
}

/** The accounts, for administrators. */
const adminUserRoutes: FastifyPluginAsyncTypebox<AdminUserRoutesOptions> =
  async function adminUserRoutes(app, { administration, sessions }) {
    app.addHook('onRequest', app.requireAdmin)
    const tags = ['Administration']
    const security = [{ bearer: [] }]

    app.get(
      '/users',
      {
        schema: {
          summary: 'The accounts',
          description: 'Newest first.',
          tags,
          security,
          querystring: UserQuerySchema,
          response: { 200: UserPageSchema }
        }
      },
      async function searchUsers(request) {
        const { cursor, limit = defaultLimit, ...filter } = request.query
        const after = cursors.read(cursor)
        const { users, next } = await administration.search({ ...filter, after, limit })
        return { users: users.map(adminUserAnswer), nextCursor: cursors.after(next) }
      }
    )

    app.post(
      '/users',
      {
        schema: {
          summary: 'Open an account',
          description: 'Its owner logs in with this password, which obeys the rules for all.',
          tags,
          security,
          body: NewUserSchema,
          response: { 201: AdminUserAnswerSchema }
        }
      },
      async function createUser(request, reply) {
        const { roles = [], ...input } = request.body
        await app.limits.global('passwordsGlobal')(request)
        const order = { origin: userOrigin(request) }
        const outcome = await administration.create({ ...input, roles }, order)
        switch (outcome.kind) {
          case 'email taken':
            throw problem('EMAIL_TAKEN')
          case 'not allowed':
            throw forbidden()
          case 'weak password':
            throw problem('WEAK_PASSWORD', { detail: outcome.reason })
          case 'invalid roles':
            throw invalidRoles(outcome.reason)
          case 'created': {
            const { id: adminId } = authenticatedUser(request)
            request.log.info({ event: 'admin.user_created', userId: outcome.user.id, adminId })
            reply.code(201)
            return { user: adminUserAnswer(outcome.user) }
          }
        }
      }
    )

    app.get(
      '/users/:id',
      {
        schema: {
          summary: 'An account',
          tags,
          security,
          params: ParamsSchema,
          response: { 200: AdminUserAnswerSchema }
        }
      },
      async function readUser(request) {
        return { user: adminUserAnswer(await found(request.params.id)) }
      }
    )

    app.patch(
      '/users/:id',
      {
        schema: {
          summary: 'Change an account',
          description:
            'New roles end its access tokens, and its sessions go on; disabling ends both for good. ' +
            'The answer comes when that is true on every node. The call can be repeated: it waits again.',
          tags,
          security,
          params: ParamsSchema,
          body: ChangesSchema,
          response: { 200: ChangedUserSchema }
        }
      },
      async function changeUser(request) {
        const id = existing(request.params.id)
        const order = { origin: userOrigin(request) }
        const outcome = await administration.update(id, request.body, order)
        switch (outcome.kind) {
          case 'not found':
            throw noSuchUser()
          case 'last admin':
            throw problem('LAST_ADMIN')
          case 'invalid roles':
            throw invalidRoles(outcome.reason)
          case 'updated': {
            const { user, receipt } = outcome
            const { id: adminId } = authenticatedUser(request)
            request.log.info({ event: 'admin.user_changed', userId: id, adminId })
            return { user: adminUserAnswer(user), receipt: receipt && receiptAnswer(receipt) }
          }
        }
      }
    )

    app.delete(
      '/users/:id',
      {
        schema: {
          summary: 'Delete an account',
          description: 'Its sessions and tokens are dead on every node when the answer arrives.',
          tags,
          security,
          params: ParamsSchema,
          response: { 204: Type.Null() }
        }
      },
      async function deleteUser(request, reply) {
        const id = existing(request.params.id)
        const outcome = await administration.delete(id, { origin: userOrigin(request) })
        if (outcome.kind === 'not found') throw noSuchUser()
        if (outcome.kind === 'last admin') throw problem('LAST_ADMIN')
        const { id: adminId } = authenticatedUser(request)
        request.log.info({ event: 'admin.user_deleted', userId: id, adminId })
        return await reply.code(204).send(null)
      }
    )

    app.get(
      '/users/:id/sessions',
      {
        schema: {
          summary: 'The sessions of an account',
          description: 'Those that are alive; the one that was used last comes first.',
          tags,
          security,
          params: ParamsSchema,
          response: { 200: SessionListSchema }
        }
      },
      async function listSessions(request) {
        const { id } = await found(request.params.id)
        const { sessionId } = authenticatedUser(request)
        const list = await sessions.list(id)
        return { sessions: list.map((session) => sessionAnswer(session, sessionId)) }
      }
    )

    async function found(id: string): Promise<User> {
      const user = await administration.find(existing(id))
      if (user === undefined) throw noSuchUser()
      return user
    }
  }

export default adminUserRoutes

function adminUserAnswer(user: User): Static<typeof AdminUserSchema> {
  return { ...userAnswer(user), disabled: user.disabledAt !== null }
}

/** What can't be an id is the id of nobody. */
function existing(id: string): string {
  if (!uuidPattern.test(id)) throw noSuchUser()
  return id
}

function noSuchUser() {
  return problem('NOT_FOUND', { detail: 'There is no user with this id.' })
}

function invalidRoles(message: string) {
  return problem('VALIDATION_FAILED', { errors: [{ path: '/roles', message }] })
}
