import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { AccessTokens } from '../tokens/access-tokens.js'

const JwksSchema = Type.Object({
  keys: Type.Array(Type.Record(Type.String(), Type.String()), {
    description: 'JSON Web Keys, public members only'
  })
})

/** Verifiers may keep the key set this long; a new key is published before it signs. */
const maxAgeSeconds = 300

export interface WellKnownRoutesOptions {
  readonly accessTokens: AccessTokens
}

const wellKnownRoutes: FastifyPluginAsyncTypebox<WellKnownRoutesOptions> =
  async function wellKnownRoutes(app, { accessTokens }) {
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
  }

export default wellKnownRoutes
