import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import type { Clients } from '../../clients/clients.js'
import type { ServiceClient } from '../../clients/store.js'
import { authenticatedUser } from '../../plugins/guard.js'
import { problem } from '../../problems.js'
import { userOrigin } from '../origin.js'
import { closed, InstantSchema, NameSchema, UuidSchema } from '../schemas.js'

const ClientSchema = closed({ id: UuidSchema, name: Type.String(), createdAt: InstantSchema })

const IssuedClientSchema = closed({
  client: ClientSchema,
  clientSecret: Type.String({ description: 'Shown this once and kept nowhere' })
})

const ClientListSchema = closed({
  clients: Type.Array(
    closed({
      ...ClientSchema.properties,
      createdBy: Type.Union([UuidSchema, Type.Null()]),
      revokedAt: Type.Union([InstantSchema, Type.Null()])
    })
  )
})

export interface AdminClientRoutesOptions {
  readonly clients: Clients
}

/** The services that may introspect and revoke tokens. */
const adminClientRoutes: FastifyPluginAsyncTypebox<AdminClientRoutesOptions> =
  async function adminClientRoutes(app, { clients }) {
    app.addHook('onRequest', app.requireAdmin)
    const tags = ['Administration']
    const security = [{ bearer: [] }]

    app.post(
      '/clients',
      {
        schema: {
          summary: 'Register a service',
          description: 'With the id and the secret it may introspect and revoke tokens.',
          tags,
          security,
          body: closed({ name: NameSchema }),
          response: { 201: IssuedClientSchema }
        }
      },
      async function issueClient(request, reply) {
        const { id: adminId } = authenticatedUser(request)
        const { client, secret } = await clients.issue(request.body.name, userOrigin(request))
        request.log.info({ event: 'admin.client_issued', clientId: client.id, adminId })
        reply.code(201)
        return { client: clientAnswer(client), clientSecret: secret }
      }
    )

    app.get(
      '/clients',
      {
        schema: {
          summary: 'The registered services',
          description: 'Newest first, the revoked ones included.',
          tags,
          security,
          response: { 200: ClientListSchema }
        }
      },
      async function readClients() {
        const all = await clients.list()
        return {
          clients: all.map((client) => ({
            ...clientAnswer(client),
            createdBy: client.createdBy,
            revokedAt: client.revokedAt?.toISOString() ?? null
          }))
        }
      }
    )

    app.delete(
      '/clients/:id',
      {
        schema: {
          summary: 'Revoke the secret of a service',
          description: 'It is refused from the answer on; again is no error.',
          tags,
          security,
          params: closed({ id: Type.String() }),
          response: { 204: Type.Null() }
        }
      },
      async function revokeClient(request, reply) {
        const { id } = request.params
        if (!(await clients.revoke(id, userOrigin(request)))) {
          throw problem('NOT_FOUND', { detail: 'There is no client with this id.' })
        }
        const { id: adminId } = authenticatedUser(request)
        request.log.info({ event: 'admin.client_revoked', clientId: id, adminId })
        return await reply.code(204).send(null)
      }
    )
  }

export default adminClientRoutes

function clientAnswer({ id, name, createdAt }: ServiceClient): Static<typeof ClientSchema> {
  return { id, name, createdAt: createdAt.toISOString() }
}
