import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { limitDefinitions, type LimitName, type RateLimits } from '../config/rate-limits.js'
import { countedIp } from '../http/client-ip.js'
import type { LoginSpread } from '../incidents/login-spread.js'
import { problem, type Problem } from '../problems.js'
import type { RedisClient } from '../redis/client.js'
import { createCounter, type Count, type Usage } from './limits/counter.js'
import { createRedisWatch } from './limits/redis-watch.js'

type NameEndingIn<Suffix extends string> = Extract<LimitName, `${string}${Suffix}`>

type FailuresPerIp = NameEndingIn<'FailuresPerIp'>

/** Each throws RATE_LIMITED, with Retry-After, once its limit is used up; each call counts one. */
export interface Limits {
  /** An onRequest hook that counts by client address (IPv6 by /64). */
  perIp: (
    name: Exclude<NameEndingIn<'PerIp'>, FailuresPerIp>
  ) => (request: FastifyRequest, reply: FastifyReply) => Promise<void>
  /** Counts by client address what went wrong, and nothing else. */
  failuresPerIp: (name: FailuresPerIp) => {
    /** Before the attempt. Counts nothing. */
    check: (request: FastifyRequest) => Promise<void>
    /** After it has failed. Throws nothing: the failure itself is the answer. */
    count: (request: FastifyRequest) => Promise<void>
  }
  /** Counts by whatever is attacked: the canonical e-mail or the id of a user or session. */
  perAccount: (
    name: NameEndingIn<'PerAccount' | 'PerSession'>
  ) => (request: FastifyRequest, account: string) => Promise<void>
  /** Counts everything together, on all nodes. */
  global: (name: NameEndingIn<'Global'>) => (request: FastifyRequest) => Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    limits: Limits
  }
  interface FastifyContextConfig {
    /** For routes with a limit of their own: requestsPerIp leaves them alone. */
    limitsRequestsItself?: true
  }
}

export interface LimitsOptions {
  limits: RateLimits | 'off'
  /** Shared counters; without it each node counts for itself. */
  redis?: RedisClient | undefined
  /** A request waits no longer than this for a shared counter, in milliseconds. */
  deadlineMs?: number
  /** Asks those who log in again after a mass logout to come back in turn. */
  loginSpread?: Pick<LoginSpread, 'retryAfterSeconds'>
}

const names = Object.keys(limitDefinitions) as LimitName[]

/**
 * Rate limits, shared by all nodes through Redis. While Redis does not answer, each node counts for
 * itself: the limits get laxer by the number of nodes, but they never go away and nothing fails.
 *
 * requestsPerIp covers every request, 404s included, except the health checks of the platform and the
 * calls of services, which limit themselves. Each node counts it for itself: a protected request makes
 * no call over the network for it.
 */
async function limitsPlugin(
  app: FastifyInstance,
  { limits, redis, deadlineMs = 200, loginSpread }: LimitsOptions
): Promise<void> {
  if (limits === 'off') {
    const nothing = async (): Promise<void> => undefined
    app.decorate('limits', {
      perIp: () => nothing,
      failuresPerIp: () => ({ check: nothing, count: nothing }),
      perAccount: () => nothing,
      global: () => nothing
    })
    return
  }
  const watch = redis && createRedisWatch(redis, app.log, deadlineMs)
  const counters = new Map<LimitName, Count>()
  for (const name of names) {
    const isShared = name !== 'requestsPerIp'
    const options = { name, limit: limits[name], watch: isShared ? watch : undefined }
    counters.set(name, await createCounter(app, options))
  }
  const enforce = async (name: LimitName, request: FastifyRequest, subject: string) => {
    const usage = await counters.get(name)?.(request, subject)
    if (usage?.isExceeded) throw rateLimited(usage)
    return usage
  }

  app.decorate('limits', {
    perIp: (name) => async (request, reply) => {
      const usage = await enforce(name, request, countedIp(request))
      if (usage !== undefined && isTightest(usage, reply)) reply.headers(headersOf(usage))
    },
    failuresPerIp: (name) => ({
      check: async (request) => {
        const usage = await counters.get(name)?.(request, countedIp(request), 'look')
        if (usage?.remaining === 0) throw rateLimited(usage)
      },
      count: async (request) => {
        await counters.get(name)?.(request, countedIp(request))
      }
    }),
    perAccount: (name) => async (request, account) => {
      await enforce(name, request, digest(account))
    },
    global: (name) => async (request) => {
      const usage = await counters.get(name)?.(request, 'all')
      if (usage?.isExceeded) throw rateLimited(usage, loginSpread?.retryAfterSeconds())
    }
  })

  const countRequest = app.limits.perIp('requestsPerIp')
  app.addHook('onRequest', async (request, reply) => {
    const { url, config } = request.routeOptions
    if (url?.startsWith('/health/') || config.limitsRequestsItself) return
    await countRequest(request, reply)
  })
}

/** No e-mail address reaches Redis. */
const digest = (account: string): string => createHash('sha256').update(account).digest('base64url')

/** Of several limits by address, the answer tells of the one that will be hit first. */
const isTightest = ({ remaining }: Usage, reply: FastifyReply): boolean =>
  remaining < Number(reply.getHeader('ratelimit-remaining') ?? Infinity)

const headersOf = ({ max, remaining, resetSeconds }: Usage): Record<string, string> => ({
  'ratelimit-limit': String(max),
  'ratelimit-remaining': String(remaining),
  'ratelimit-reset': String(resetSeconds)
})

const rateLimited = (usage: Usage, atLeastSeconds = 0): Problem =>
  problem('RATE_LIMITED', {
    headers: {
      ...headersOf(usage),
      'retry-after': String(Math.max(usage.resetSeconds, atLeastSeconds))
    }
  })

export default fp(limitsPlugin, { name: 'limits', fastify: '5.x' })
