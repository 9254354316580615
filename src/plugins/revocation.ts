import fp from 'fastify-plugin'
import type { Clock } from '../clock.js'
import { createRevocation, type RevocationService } from '../revocation/revocation.js'
import type { NodeMode } from '../revocation/nodes.js'

declare module 'fastify' {
  interface FastifyInstance {
    revocation: RevocationService
  }
}

export interface RevocationPluginOptions {
  readonly mode: NodeMode
  /** How long an answer may wait for its confirmation, in milliseconds. */
  readonly deadlineMs: number
  /** The longest life of an access token: the same on every node of a deployment. */
  readonly accessTokenTtlSeconds: number
  readonly clock: Clock
}

/** Makes this process a node that decides about tokens, and takes it off the list when it stops. */
export default fp<RevocationPluginOptions>(
  async function revocationPlugin(app, options) {
    const { database, redis, log } = app
    const revocation = createRevocation({ ...options, database, redis, log })
    app.decorate('revocation', revocation)
    app.addHook('onClose', () => revocation.stop())
    await revocation.start()
  },
  {
    name: 'revocation',
    fastify: '5.x',
    dependencies: ['database', 'redis']
  }
)
