import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import type { Clients } from '../clients/clients.js'
import type { Introspect, Introspection } from '../clients/introspection.js'
import type { RevokePresented } from '../clients/token-revocation.js'
import clientAuth, { authenticatedClient } from '../plugins/client-auth.js'
import formBody from '../plugins/form-body.js'
import { originOf } from './origin.js'
import { closed, UuidSchema } from './schemas.js'

/** Other parameters are ignored, as OAuth wants it (RFC 6749 §3.2). */
const TokenFormSchema = Type.Object({
  token: Type.String({ description: 'An access token or a refresh token' }),
  token_type_hint: Type.Optional(Type.String({ description: 'Makes no difference' }))
})

const SecondsSchema = Type.Integer({ description: 'Seconds since the epoch' })

const InactiveSchema = closed({ active: Type.Literal(false) })

const ActiveAccessTokenSchema = closed({
  active: Type.Literal(true),
  token_type: Type.Literal('Bearer'),
  client_id: Type.Literal('keycard'),
  iss: Type.String(),
  aud: Type.Union([Type.String(), Type.Array(Type.String())]),
  sub: UuidSchema,
  sid: UuidSchema,
  jti: UuidSchema,
  iat: SecondsSchema,
  exp: SecondsSchema,
  ver: Type.Integer({ description: 'The token version of the user at issue' }),
  gen: Type.Integer({ description: 'The generation at issue' }),
  roles: Type.Array(Type.String())
})

const ActiveRefreshTokenSchema = closed({
  active: Type.Literal(true),
  token_type: Type.Literal('refresh_token'),
  sub: UuidSchema,
  sid: UuidSchema,
  iat: SecondsSchema,
  exp: SecondsSchema
})

const IntrospectionSchema = Type.Union([
  ActiveAccessTokenSchema,
  ActiveRefreshTokenSchema,
  InactiveSchema
])

/** No body at all; null would be sent as JSON. */
const EmptySchema = Type.Unsafe<undefined>({ type: 'null' })

export interface OAuthRoutesOptions {
  readonly clients: Clients
  readonly introspect: Introspect
  readonly revokePresented: RevokePresented
}

/** What services ask about tokens, in the form of OAuth: RFC 7662 and RFC 7009. */
const oauthRoutes: FastifyPluginAsyncTypebox<OAuthRoutesOptions> = async function oauthRoutes(
  app,
  { clients, introspect, revokePresented }
) {
  await app.register(formBody)
  await app.register(clientAuth, { clients })
  const common = {
    tags: ['OAuth'],
    security: [{ client: [] }],
    consumes: ['application/x-www-form-urlencoded'],
    body: TokenFormSchema
  }

  app.post(
    '/introspect',
    {
      schema: {
        ...common,
        summary: 'Is a token good right now? (RFC 7662)',
        description:
          'Decided from the database. Inactive for whatever reason is 200 with active: false; where it cannot be known the answer is 503.',
        response: { 200: IntrospectionSchema }
      }
    },
    async function introspectToken(request) {
      return introspectionAnswer(await introspect(request.body.token))
    }
  )

  app.post(
    '/revoke',
    {
      schema: {
        ...common,
        summary: 'Revoke a token (RFC 7009)',
        description:
          'A refresh token takes its session along. Answered when it is true on every node; whatever is no token, or none any more, is 200 as well.',
        response: { 200: EmptySchema }
      }
    },
    async function revokeToken(request, reply) {
      const { id: clientId } = authenticatedClient(request)
      const origin = originOf(request, { kind: 'client', id: clientId })
      const cause = { reason: `revoked by client ${clientId}`, origin }
      const revoked = await revokePresented(request.body.token, cause)
      request.log.info({ event: 'oauth.revoked', clientId, ...revoked })
      return await reply.code(200).send(undefined)
    }
  )
}

export default oauthRoutes

function introspectionAnswer(found: Introspection): Static<typeof IntrospectionSchema> {
  switch (found.kind) {
    case 'inactive':
      return { active: false }
    case 'access token': {
      const { aud, roles, ...claims } = found.claims
      return {
        active: true,
        token_type: 'Bearer',
        client_id: 'keycard',
        ...claims,
        aud: typeof aud === 'string' ? aud : [...aud],
        roles: [...roles]
      }
    }
    case 'refresh token': {
      const { userId, sessionId, issuedAt, expiresAt } = found.facts
      return {
        active: true,
        token_type: 'refresh_token',
        sub: userId,
        sid: sessionId,
        iat: toSeconds(issuedAt),
        exp: toSeconds(expiresAt)
      }
    }
  }
}

const toSeconds = (time: Date): number => Math.floor(time.getTime() / 1_000)
