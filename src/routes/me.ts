import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import type { Accounts } from '../accounts/accounts.js'
import type { User } from '../accounts/store.js'
import { authenticatedUser, refusal } from '../plugins/guard.js'
import { problem } from '../problems.js'
import { userAnswer } from './answers.js'
import { userOrigin } from './origin.js'
import { closed, NameSchema, PasswordSchema, UserAnswerSchema } from './schemas.js'

const RenameBodySchema = closed({ name: Type.Optional(NameSchema) })
const DeleteBodySchema = closed({ password: PasswordSchema })
const PasswordBodySchema = closed({ currentPassword: PasswordSchema, newPassword: PasswordSchema })

export interface MeRoutesOptions {
  readonly accounts: Accounts
}

/** The account of the caller. */
const meRoutes: FastifyPluginAsyncTypebox<MeRoutesOptions> = async function meRoutes(
  app,
  { accounts }
) {
  app.addHook('onRequest', app.authenticate)
  const tags = ['Accounts']
  const security = [{ bearer: [] }]

  app.get(
    '/me',
    {
      schema: { summary: 'My account', tags, security, response: { 200: UserAnswerSchema } }
    },
    async function readMe(request) {
      return { user: userAnswer(found(await accounts.find(authenticatedUser(request).id))) }
    }
  )

  app.patch(
    '/me',
    {
      schema: {
        summary: 'Change my account',
        tags,
        security,
        body: RenameBodySchema,
        response: { 200: UserAnswerSchema }
      }
    },
    async function changeMe(request) {
      const { id } = authenticatedUser(request)
      const { name } = request.body
      if (name === undefined) return { user: userAnswer(found(await accounts.find(id))) }
      const user = found(await accounts.rename(id, name, userOrigin(request)))
      request.log.info({ event: 'auth.account_renamed', userId: id })
      return { user: userAnswer(user) }
    }
  )

  app.delete(
    '/me',
    {
      schema: {
        summary: 'Delete my account',
        description: 'The last administrator must make another one first.',
        tags,
        security,
        body: DeleteBodySchema,
        response: { 204: Type.Null() }
      }
    },
    async function deleteMe(request, reply) {
      const { id } = authenticatedUser(request)
      await limitPasswords(request)
      const outcome = await accounts.delete(id, request.body.password, userOrigin(request))
      if (outcome.kind === 'wrong password') {
        request.log.info({ event: 'auth.password_refused', userId: id })
        throw problem('INVALID_CREDENTIALS')
      }
      if (outcome.kind === 'gone') throw refusal('TOKEN_REVOKED')
      if (outcome.kind === 'last admin') throw problem('LAST_ADMIN')
      request.log.info({ event: 'auth.account_deleted', userId: id })
      app.refreshCookie.clear(reply)
      return await reply.code(204).send(null)
    }
  )

  app.post(
    '/password',
    {
      schema: {
        summary: 'Change my password',
        description: 'Every other session ends; this one goes on with its refresh token.',
        tags,
        security,
        body: PasswordBodySchema,
        response: { 204: Type.Null() }
      }
    },
    async function changePassword(request, reply) {
      const { id: userId, sessionId, version } = authenticatedUser(request)
      await limitPasswords(request)
      const caller = { userId, sessionId, version }
      const outcome = await accounts.changePassword(caller, request.body, userOrigin(request))
      switch (outcome.kind) {
        case 'wrong password':
          request.log.info({ event: 'auth.password_refused', userId, sessionId })
          throw problem('INVALID_CREDENTIALS', { detail: 'The current password is wrong.' })
        case 'weak password':
          throw problem('WEAK_PASSWORD', { detail: outcome.reason })
        case 'gone':
          throw refusal('TOKEN_REVOKED')
        case 'changed':
          request.log.info({ event: 'auth.password_changed', userId, sessionId })
          return await reply.code(204).send(null)
      }
    }
  )

  async function limitPasswords(request: FastifyRequest): Promise<void> {
    await app.limits.perAccount('passwordPerAccount')(request, authenticatedUser(request).id)
    await app.limits.global('passwordsGlobal')(request)
  }
}

export default meRoutes

/** An account that is gone takes its tokens along, though the guard may have run just before. */
function found(user: User | undefined): User {
  if (user === undefined) throw refusal('TOKEN_REVOKED')
  return user
}
