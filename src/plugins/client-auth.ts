import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Clients } from '../clients/clients.js'
import type { ServiceClient } from '../clients/store.js'
import { readBasicCredentials } from '../http/basic-credentials.js'
import { problem } from '../problems.js'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set where a scope authenticates clients; null anywhere else. */
    client: ServiceClient | null
  }
}

export interface ClientAuthOptions {
  readonly clients: Pick<Clients, 'authenticate'>
}

/** The other ways of RFC 6749 §2.3.1 and RFC 7521 §4.2 to authenticate, which are none here. */
const bodyMethods = ['client_secret', 'client_assertion']

/**
 * For the scope that registers it, before its routes: every request must come from a client that an
 * operator registered, by HTTP Basic. Failures are limited by address, before anything is looked up;
 * what succeeds is a service at work and is under no limit.
 */
export default fp<ClientAuthOptions>(
  async function clientAuth(app, { clients }) {
    const failures = app.limits.failuresPerIp('clientFailuresPerIp')

    app.decorateRequest('client', null)
    app.addHook('onRoute', (route) => {
      route.config = { ...route.config, limitsRequestsItself: true }
    })

    app.addHook('onRequest', async function authenticateClient(request) {
      await failures.check(request)
      const credentials = readBasicCredentials(request.headers.authorization)
      const client = credentials && (await clients.authenticate(credentials.id, credentials.secret))
      if (client === undefined) {
        await failures.count(request)
        throw problem('INVALID_CLIENT')
      }
      request.client = client
    })

    app.addHook('preValidation', async function refuseSecondMethod({ body }) {
      if (typeof body !== 'object' || body === null) return
      if (bodyMethods.some((name) => name in body)) {
        throw problem('BAD_REQUEST', {
          detail: 'Authenticate by HTTP Basic alone, with no secret in the body.'
        })
      }
    })
  },
  { name: 'client-auth', fastify: '5.x', dependencies: ['limits'] }
)

/** The client of a request in a scope that authenticates clients. */
export function authenticatedClient(request: FastifyRequest): ServiceClient {
  if (request.client === null) throw new Error(`${request.routeOptions.url} asks for no client`)
  return request.client
}
