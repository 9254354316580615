import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Accounts } from '../accounts/accounts.js'
import type { AdminRefusal, RecordRefusal } from '../audit/refusals.js'
import { clientIp } from '../http/client-ip.js'
import { authenticatedUser, forbidden, refusal } from './guard.js'
import { hadBody, takesBodies } from './late-body.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Hook: lets only administrators pass. What the token says is not enough: the account is looked
     * up, so that one that was downgraded, disabled or deleted is out at once, and looked up again
     * when the body is there. Whoever is known and refused is logged and audited.
     */
    requireAdmin: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  }
}

export interface RequireAdminOptions {
  readonly accounts: Pick<Accounts, 'find'>
  readonly recordRefusal: RecordRefusal
}

const role = 'admin'

export default fp<RequireAdminOptions>(
  async function requireAdminPlugin(app, { accounts, recordRefusal }) {
    /** Why the caller may not pass; undefined for an administrator. */
    async function faultOf(request: FastifyRequest): Promise<AdminRefusal['reason'] | undefined> {
      const { id, roles } = authenticatedUser(request)
      if (!roles.includes(role)) return 'no administrator'
      const account = await accounts.find(id)
      if (account === undefined) return 'deleted'
      if (account.disabledAt !== null) return 'disabled'
      return account.roles.includes(role) ? undefined : 'no administrator any more'
    }

    /** The caller is refused all the same where that can't be written. */
    async function record(request: FastifyRequest, reason: AdminRefusal['reason']): Promise<void> {
      const { id: userId } = authenticatedUser(request)
      const route = `${request.method} ${request.routeOptions.url ?? ''}`
      request.log.warn({ event: 'admin.refused', userId, route, reason })
      try {
        await recordRefusal({ userId, ip: clientIp(request), route, reason })
      } catch (err) {
        request.log.error({ event: 'audit.not_recorded', err })
      }
    }

    async function demand(request: FastifyRequest): Promise<void> {
      const fault = await faultOf(request)
      if (fault === undefined) return
      await record(request, fault)
      const isDead = fault === 'deleted' || fault === 'disabled'
      throw isDead ? refusal('TOKEN_REVOKED') : forbidden()
    }

    const passed = new WeakSet<FastifyRequest>()

    app.decorate('requireAdmin', async function requireAdmin(request, reply) {
      await app.authenticate(request, reply)
      await demand(request)
      passed.add(request)
    })

    async function demandAgain(request: FastifyRequest): Promise<void> {
      if (passed.has(request) && hadBody(request)) await demand(request)
    }

    app.addHook('onRoute', (route) => {
      if (!takesBodies(route)) return
      route.preHandler = [demandAgain, ...[route.preHandler ?? []].flat()]
    })
  },
  { name: 'require-admin', fastify: '5.x', dependencies: ['guard'] }
)
