import type {
  FastifyRequest,
  preHandlerAsyncHookHandler,
  preHandlerHookHandler,
  RouteOptions
} from 'fastify'

const bodyless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'TRACE'])

/**
 * Puts a check in front of what a route does once the body has come, on routes that can have one. The
 * hooks `onRequest` see the head alone, and its sender may take as long as the server lets him until
 * the body follows: what let the head pass may be true no more.
 */
export function checkBehindBody(
  route: RouteOptions,
  check: preHandlerHookHandler | preHandlerAsyncHookHandler
): void {
  const takesBodies = [route.method].flat().some((method) => !bodyless.has(method.toUpperCase()))
  if (takesBodies) route.preHandler = [check, ...[route.preHandler ?? []].flat()]
}

/** Whether a request has a body: it may have come as late as its sender liked. */
export function hadBody({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}
