import fp from 'fastify-plugin'
import type { Accounts } from '../accounts/accounts.js'
import { authenticatedUser, forbidden, refusal } from './guard.js'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Hook: lets only administrators pass. What the token says is not enough: the account is looked
     * up, so that one that was downgraded, disabled or deleted is out at once.
     */
    requireAdmin: (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  }
}

export interface RequireAdminOptions {
  readonly accounts: Pick<Accounts, 'find'>
}

const role = 'admin'

export default fp<RequireAdminOptions>(
  async function requireAdminPlugin(app, { accounts }) {
    const requireRole = app.authorize(role)

    app.decorate('requireAdmin', async function requireAdmin(request, reply) {
      await requireRole(request, reply)
      const account = await accounts.find(authenticatedUser(request).id)
      if (account === undefined || account.disabledAt !== null) throw refusal('TOKEN_REVOKED')
      if (!account.roles.includes(role)) throw forbidden()
    })
  },
  { name: 'require-admin', fastify: '5.x', dependencies: ['guard'] }
)
