import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { problem } from '../problems.js'
import { bearerToken } from './bearer-token.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** Where plugins put what they measure; one for each app, so that apps can share a process. */
    metrics: Registry
  }
}

export interface MetricsOptions {
  /** Who sends it as a bearer token may read the metrics. */
  readonly token: string | undefined
  /** Without a token: whether everybody may, or nobody. */
  readonly isOpen: boolean
}

/** GET /metrics for Prometheus (text format), behind a bearer token outside development. */
async function metrics(app: FastifyInstance, { token, isOpen }: MetricsOptions): Promise<void> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  app.decorate('metrics', registry)
  app.addHook('onClose', async () => registry.clear())
  if (token === undefined && !isOpen) return

  app.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    if (token !== undefined) assertToken(bearerToken(request), token)
    return await reply
      .headers({ 'content-type': registry.contentType, 'cache-control': 'no-store' })
      .send(await registry.metrics())
  })
}

function assertToken(given: string | undefined, expected: string): void {
  if (given === undefined) throw problem('MISSING_TOKEN')
  // Digests have one length, so that the comparison takes the same time for every guess.
  if (!timingSafeEqual(digest(given), digest(expected))) {
    throw problem('INVALID_TOKEN', {
      headers: { 'www-authenticate': 'Bearer error="invalid_token"' }
    })
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

export default fp(metrics, { name: 'metrics', fastify: '5.x' })
