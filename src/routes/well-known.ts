import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { AccessTokens } from '../tokens/access-tokens.js'
import { closed } from './schemas.js'

const JwksSchema = Type.Object({
  keys: Type.Array(Type.Record(Type.String(), Type.String()), {
    description: 'JSON Web Keys, public members only'
  })
})

/** Verifiers may keep these documents this long; a new key is published before it signs. */
const maxAgeSeconds = 300

const methods = Type.Array(Type.Literal('client_secret_basic'))

/** What does not exist here is left out, and empty lists with it (RFC 8414 §3.2). */
const MetadataSchema = closed({
  issuer: Type.String({ description: 'PUBLIC_URL, from which this document was read' }),
  jwks_uri: Type.String(),
  introspection_endpoint: Type.String(),
  introspection_endpoint_auth_methods_supported: methods,
  revocation_endpoint: Type.String(),
  revocation_endpoint_auth_methods_supported: methods,
  service_documentation: Type.String()
})

export interface WellKnownRoutesOptions {
  /** An origin. */
  readonly publicUrl: string
  readonly accessTokens: AccessTokens
}

const wellKnownRoutes: FastifyPluginAsyncTypebox<WellKnownRoutesOptions> =
  async function wellKnownRoutes(app, { publicUrl, accessTokens }) {
    app.get(
      '/jwks.json',
      {
        schema: {
          summary: 'The public keys of access tokens (RFC 7517)',
          description: 'Empty where tokens are signed with a shared secret (HS256).',
          tags: ['Keys'],
          response: { 200: JwksSchema }
        }
      },
      async function jwks(_request, reply) {
        reply.header('cache-control', `public, max-age=${maxAgeSeconds}`)
        return { keys: accessTokens.jwks().keys.map((key) => ({ ...key })) }
      }
    )

    const authMethods: ['client_secret_basic'] = ['client_secret_basic']
    const metadata = {
      issuer: publicUrl,
      jwks_uri: `${publicUrl}/.well-known/jwks.json`,
      introspection_endpoint: `${publicUrl}/oauth/introspect`,
      introspection_endpoint_auth_methods_supported: authMethods,
      revocation_endpoint: `${publicUrl}/oauth/revoke`,
      revocation_endpoint_auth_methods_supported: authMethods,
      service_documentation: `${publicUrl}/docs`
    }

    app.get(
      '/oauth-authorization-server',
      {
        schema: {
          summary: 'What there is of OAuth (RFC 8414)',
          tags: ['OAuth'],
          response: { 200: MetadataSchema }
        }
      },
      async function authorizationServer(_request, reply) {
        reply.header('cache-control', `public, max-age=${maxAgeSeconds}`)
        return metadata
      }
    )
  }

export default wellKnownRoutes
