import type { FastifyRequest, RouteOptions } from 'fastify'

const bodyless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'TRACE'])

/** Whether requests to a route can have a body, which then comes after the hooks `onRequest`. */
export function takesBodies({ method }: Pick<RouteOptions, 'method'>): boolean {
  return [method].flat().some((each) => !bodyless.has(each.toUpperCase()))
}

/** Whether a request has a body: it may have come as late as its sender liked. */
export function hadBody({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}
