import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Accounts } from '../accounts/accounts.js'
import { canonicalEmail } from '../accounts/email.js'
import { problem } from '../problems.js'
import { clientOf, tokenAnswer, userAnswer } from './answers.js'
import {
  closed,
  EmailSchema,
  LoginAnswerSchema,
  NameSchema,
  PasswordSchema,
  TokenDeliverySchema
} from './schemas.js'

const RegisterBodySchema = closed({
  email: EmailSchema,
  password: PasswordSchema,
  name: NameSchema,
  tokenDelivery: Type.Optional(TokenDeliverySchema)
})

const LoginBodySchema = closed({
  email: EmailSchema,
  password: PasswordSchema,
  tokenDelivery: Type.Optional(TokenDeliverySchema)
})

export interface AuthRoutesOptions {
  readonly accounts: Accounts
  readonly registration: 'open' | 'closed'
}

/** How an account comes to be, and how its owner gets in. */
const authRoutes: FastifyPluginAsyncTypebox<AuthRoutesOptions> = async function authRoutes(
  app,
  { accounts, registration }
) {
  app.post(
    '/register',
    {
      schema: {
        summary: 'Open an account and its first session',
        tags: ['Accounts'],
        body: RegisterBodySchema,
        response: { 201: LoginAnswerSchema }
      },
      onRequest: app.limits.perIp('registerPerIp')
    },
    async function register(request, reply) {
      if (registration === 'closed') {
        throw problem('FORBIDDEN', { detail: 'Accounts are opened by an administrator here.' })
      }
      const { tokenDelivery = 'cookie', ...input } = request.body
      await app.limits.global('passwordsGlobal')(request)
      const outcome = await accounts.register(input, clientOf(request))
      if (outcome.kind === 'weak password') {
        throw problem('WEAK_PASSWORD', { detail: outcome.reason })
      }
      if (outcome.kind === 'email taken') throw problem('EMAIL_TAKEN')
      const { user, credentials } = outcome
      const { sessionId } = credentials
      request.log.info({ event: 'auth.registered', userId: user.id, sessionId })
      reply.code(201)
      return {
        user: userAnswer(user),
        ...tokenAnswer(app, reply, credentials, tokenDelivery)
      }
    }
  )

  app.post(
    '/login',
    {
      schema: {
        summary: 'Open a session',
        tags: ['Accounts'],
        body: LoginBodySchema,
        response: { 200: LoginAnswerSchema }
      },
      onRequest: app.limits.perIp('loginPerIp')
    },
    async function login(request, reply) {
      const { tokenDelivery = 'cookie', ...input } = request.body
      await app.limits.perAccount('loginPerAccount')(request, canonicalEmail(input.email))
      await app.limits.global('passwordsGlobal')(request)
      const outcome = await accounts.login(input, clientOf(request))
      if (outcome.kind === 'refused') {
        const { reason, userId } = outcome
        request.log.info({ event: 'auth.login_refused', reason, userId })
        throw problem('INVALID_CREDENTIALS')
      }
      if (outcome.kind === 'disabled') {
        request.log.info({ event: 'auth.login_disabled', userId: outcome.userId })
        throw problem('ACCOUNT_DISABLED')
      }
      const { user, credentials } = outcome
      const { sessionId } = credentials
      request.log.info({ event: 'auth.logged_in', userId: user.id, sessionId })
      return {
        user: userAnswer(user),
        ...tokenAnswer(app, reply, credentials, tokenDelivery)
      }
    }
  )
}

export default authRoutes
