import { Type, type FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Clients } from '../clients/clients.js'
import clientAuth, { authenticatedClient } from '../plugins/client-auth.js'
import { problem } from '../problems.js'
import { isHorizon } from '../revocation/horizon.js'
import type { ForeignRegistry } from '../revocation/registry.js'
import {
  ConfirmationSchema,
  DeclarationSchema,
  LogPageSchema,
  LogQuerySchema,
  SightingSchema
} from './node-schemas.js'
import { closed, UuidSchema } from './schemas.js'

export interface NodeRoutesOptions {
  readonly clients: Pick<Clients, 'authenticate'>
  /** The registry as the nodes of one client see it. */
  readonly registryOf: ForeignRegistry
}

const ParamsSchema = closed({ id: UuidSchema })

/** For the guards of other services: they are nodes like ours, and register here. */
const nodeRoutes: FastifyPluginAsyncTypebox<NodeRoutesOptions> = async function nodeRoutes(
  app,
  { clients, registryOf }
) {
  await app.register(clientAuth, { clients })
  const tags = ['Nodes']
  const security = [{ client: [] }]

  app.put(
    '/:id',
    {
      schema: {
        summary: 'Declare how this node decides from now on',
        description: 'Whoever revokes after the answer reckons with it.',
        tags,
        security,
        params: ParamsSchema,
        body: DeclarationSchema,
        response: { 204: Type.Null() }
      }
    },
    async function declareNode(request, reply) {
      const { id: clientId } = authenticatedClient(request)
      await registryOf(clientId).declare({ id: request.params.id, clientId, ...request.body })
      return await reply.code(204).send(null)
    }
  )

  app.post(
    '/:id/confirm',
    {
      schema: {
        summary: 'Give a sign of life, and say what this node has applied',
        description: '404 means that nobody reckons with this node: it must declare itself anew.',
        tags,
        security,
        params: ParamsSchema,
        body: ConfirmationSchema,
        response: { 200: SightingSchema }
      }
    },
    async function confirmNode(request) {
      const { epoch, applied } = request.body
      assertHorizon('/applied', applied)
      const registry = registryOf(authenticatedClient(request).id)
      const sighting = await registry.confirm({ id: request.params.id, epoch }, applied)
      if (sighting === undefined) throw problem('NOT_FOUND', { detail: 'Declare this node anew.' })
      return sighting
    }
  )

  app.delete(
    '/:id',
    {
      schema: {
        summary: 'Take this node off the list',
        tags,
        security,
        params: ParamsSchema,
        response: { 204: Type.Null() }
      }
    },
    async function removeNode(request, reply) {
      await registryOf(authenticatedClient(request).id).remove(request.params.id)
      return await reply.code(204).send(null)
    }
  )

  app.post(
    '/:id/log',
    {
      schema: {
        summary: 'The live revocations that a reader has not seen',
        description: 'Without `since`, all of them; `next` is where the next page starts.',
        tags,
        security,
        params: ParamsSchema,
        body: LogQuerySchema,
        response: { 200: LogPageSchema }
      }
    },
    async function readLog(request) {
      const { since, after } = request.body
      assertHorizon('/since', since)
      const page = await registryOf(authenticatedClient(request).id).readLog(since, after)
      return { ...page, events: [...page.events], next: page.next ?? null }
    }
  )
}

export default nodeRoutes

function assertHorizon(path: string, text: string | undefined): void {
  if (text === undefined || isHorizon(text)) return
  const message = 'must be a horizon as the log gave it'
  throw problem('VALIDATION_FAILED', { errors: [{ path, message }] })
}
