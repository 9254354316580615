import type { FastifyRequest } from 'fastify'
import type { Actor, Origin } from '../audit/origin.js'
import { clientIp } from '../http/client-ip.js'
import { authenticatedUser } from '../plugins/guard.js'

/** Where a request comes from, on behalf of whoever made it. */
export function originOf(request: FastifyRequest, actor: Actor = { kind: 'nobody' }): Origin {
  return { actor, ip: clientIp(request) }
}

/** As `originOf`, for a request that a guard has let pass. */
export function userOrigin(request: FastifyRequest): Origin {
  return originOf(request, { kind: 'user', id: authenticatedUser(request).id })
}
