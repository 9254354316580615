import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { problem } from '../problems.js'

/** Mean delay of the event loop beyond which requests would only pile up. */
const maxEventLoopDelayMs = 1_000

export interface OverloadOptions {
  /** Over how long the mean is taken: a single stall, as at the start, is no saturation. */
  sampleMs?: number
}

/** Turns requests away while the event loop is saturated, except the health checks of the platform. */
async function overload(
  app: FastifyInstance,
  { sampleMs = 5_000 }: OverloadOptions
): Promise<void> {
  await app.register(underPressure, {
    maxEventLoopDelay: maxEventLoopDelayMs,
    sampleInterval: sampleMs,
    pressureHandler: (request) => {
      if (!request.routeOptions.url?.startsWith('/health/')) throw problem('OVERLOADED')
    }
  })
}

export default fp(overload, { name: 'overload', fastify: '5.x' })
