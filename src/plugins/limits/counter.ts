import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { LimitName, RateLimit } from '../../config/rate-limits.js'
import type { RedisClient } from '../../redis/client.js'
import type { RedisWatch } from './redis-watch.js'

/** How far a limit is used up, this request included. */
export interface Usage {
  readonly max: number
  readonly remaining: number
  /** Until the window starts anew; at least 1. */
  readonly resetSeconds: number
  readonly isExceeded: boolean
}

/** Counts one for the subject, or only looks where the count stands. Never rejects because of Redis. */
export type Count = (
  request: FastifyRequest,
  subject: string,
  how?: 'count' | 'look'
) => Promise<Usage>

interface CounterOptions {
  name: LimitName
  limit: RateLimit
  watch: RedisWatch | undefined
}

/** How many subjects a node remembers per limit when it counts for itself; the idlest go first. */
const localSubjects = 20_000

/** One limit: counted in Redis as long as it answers, and on this node otherwise. */
export async function createCounter(
  app: FastifyInstance,
  { name, limit, watch }: CounterOptions
): Promise<Count> {
  const local = await createStore(app, name, limit, undefined)
  if (watch === undefined) return local
  const shared = await createStore(app, name, limit, watch.redis)
  return async (request, subject, how) =>
    (await watch.attempt(() => shared(request, subject, how))) ??
    (await local(request, subject, how))
}

/**
 * A scope with its own @fastify/rate-limit, so that each limit has a store and a namespace to itself:
 * limiters made from one registration share the keys of one namespace in Redis.
 */
async function createStore(
  app: FastifyInstance,
  name: LimitName,
  { max, windowMs }: RateLimit,
  redis: RedisClient | undefined
): Promise<Count> {
  // The limiter asks for the key with nothing but the request in hand.
  const subjects = new WeakMap<FastifyRequest, string>()
  const scopes: FastifyInstance[] = []
  await app.register(async (scope) => {
    scopes.push(scope)
    await scope.register(rateLimit, {
      global: false,
      max,
      timeWindow: windowMs,
      cache: localSubjects,
      nameSpace: `keycard:limit:${name}:`,
      keyGenerator: (request) => subjects.get(request) ?? '',
      ...(redis && { redis })
    })
  })
  const [consume] = scopes.map((scope) => scope.createRateLimit())
  if (consume === undefined) throw new Error('the rate limiter did not register')

  return async (request, subject, how = 'count') => {
    subjects.set(request, subject)
    const result = await consume(request, { increment: how === 'count' })
    if (result.isAllowed) throw new Error('no subject is exempt from a limit')
    const { remaining, ttlInSeconds, isExceeded } = result
    return { max, remaining, resetSeconds: Math.max(1, ttlInSeconds), isExceeded }
  }
}
