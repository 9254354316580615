import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { problem, type Problem } from '../problems.js'

/** OPTIONS is left out: the only such route is the CORS preflight, which matches any path. */
const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/**
 * Answers a request that no route takes: 405 with Allow where the path exists under other methods
 * (RFC 9110 §15.5.6), else 404; either way before its body is read. Register it last, so that limits
 * count these requests too.
 */
async function methodNotAllowed(app: FastifyInstance): Promise<void> {
  const refusalOf = ({ method, url }: FastifyRequest): Problem => {
    const allowed = methods.filter((each) => app.findRoute({ method: each, url }) !== null)
    const isDeclined = allowed.some((each) => each === method)
    return allowed.length === 0 || isDeclined
      ? problem('NOT_FOUND')
      : problem('METHOD_NOT_ALLOWED', { headers: { allow: allowed.join(', ') } })
  }

  app.addHook('onRequest', async (request) => {
    if (request.is404) throw refusalOf(request)
  })
  // For routes that decline after all, as those of files and preflights do.
  app.setNotFoundHandler((request) => {
    throw refusalOf(request)
  })
}

export default fp(methodNotAllowed, { name: 'method-not-allowed', fastify: '5.x' })
