import fp from 'fastify-plugin'
import { uuidv7 } from 'uuidv7'
import { systemClock } from '../clock.js'
import guard from '../plugins/guard.js'
import { problem } from '../problems.js'
import { redisTarget } from '../config/redis-target.js'
import { createFeedClient, type RedisClient } from '../redis/client.js'
import { closeRedis, openRedis } from '../redis/lifecycle.js'
import { createDenyList } from '../revocation/deny-list.js'
import type { CoveredClaims, Verdict } from '../revocation/decision.js'
import { createRedisFeed } from '../revocation/redis-feed.js'
import { createReplica } from '../revocation/replica.js'
import { createStream } from '../revocation/stream.js'
import type { AsymmetricAlgorithm } from '../tokens/algorithms.js'
import { keyRingFromSecret } from '../tokens/key-ring.js'
import { createTokenVerifier, type TokenVerifier } from '../tokens/token-verifier.js'
import { createDataSetObserver } from './data-set-observer.js'
import { createHttpRegistry } from './http-registry.js'
import { createIntrospection } from './introspection.js'
import { createKeycardApi, KeycardUnavailable } from './keycard-api.js'
import { createRemoteKeys } from './remote-keys.js'

export { authenticatedUser, type AuthenticatedUser } from '../plugins/guard.js'
export { default as problems } from '../plugins/problems.js'
export { problem, Problem, type ProblemCode } from '../problems.js'

export interface KeycardGuardOptions {
  /** Keycard's origin, as this service reaches it. */
  readonly keycardUrl: string
  /** Of a client that an operator registered: POST /api/admin/clients. */
  readonly clientId: string
  readonly clientSecret: string
  /** As Keycard's own REDIS_URL. */
  readonly redisUrl: string
  /** Keycard's JWT_SECRET where it signs with HS256; or the algorithm whose keys it publishes. */
  readonly keys: { readonly secret: string } | { readonly algorithm: AsymmetricAlgorithm }
  /** The claim `iss`; Keycard's origin by default. */
  readonly issuer?: string
  /** The claim `aud`; `keycard` by default. */
  readonly audience?: string
  /** Keycard's ACCESS_TOKEN_TTL in seconds: no token that lives longer is believed. 900 by default. */
  readonly accessTokenTtlSeconds?: number
  /** Keycard's LEASE_MS; 500 by default. */
  readonly leaseMs?: number
}

declare module 'fastify' {
  interface FastifyInstance {
    keycard: {
      /** What this service decides from at the moment, and how long its lease is. */
      readonly status: ReturnType<typeof createReplica>['status']
    }
  }
}

const apiDeadlineMs = 1_800
/** How long the start waits for Redis; without it the service starts as well. */
const startMs = 1_500
/** Longer than any revocation matters: how long Keycard keeps entries is for Keycard to say. */
const retentionMs = 0

/**
 * Keycard's guard for the routes of another service: `app.authenticate`, `app.optionalAuth` and
 * `app.authorize(...)`. The service becomes a node of the deployment: it follows the revocations in
 * Redis and decides in memory; while it can't, it asks Keycard about each token, and where nobody
 * answers it refuses with 503. So a revocation that was answered holds here, too.
 *
 * Its errors carry a status, a code and headers, whatever error handler the service has; register
 * `problems` before it to answer them as Keycard does (RFC 9457).
 */
export default fp<KeycardGuardOptions>(
  async function keycardGuard(app, options) {
    const { keycardUrl, leaseMs = 500, accessTokenTtlSeconds = 900 } = options
    const clock = systemClock
    const nodeId = uuidv7()
    const api = createKeycardApi({ ...options, deadlineMs: apiDeadlineMs })
    const isActive = createIntrospection(api)
    const verifier = createTokenVerifier({
      keys: 'secret' in options.keys ? keyRingFromSecret(options.keys.secret).keys : [],
      issuer: options.issuer ?? new URL(keycardUrl).origin,
      audience: options.audience ?? 'keycard',
      ttlSeconds: accessTokenTtlSeconds,
      clock
    })
    const findKeys =
      'algorithm' in options.keys ? await followKeys(options.keys.algorithm, verifier) : undefined

    const redis = openFeed(options.redisUrl, leaseMs)
    const stream = createStream(redis)
    const denyList = createDenyList(redis, clock, retentionMs)
    const findDataSet = createDataSetObserver(denyList)
    const replica = createReplica({
      nodeId,
      clientId: options.clientId,
      feed: createRedisFeed({ nodeId, stream, findDataSet, leaseMs }),
      registry: createHttpRegistry(api, nodeId),
      leaseMs,
      clock,
      log: app.log
    })
    app.addHook('onClose', async () => {
      await replica.stop()
      await closeRedis(redis)
    })
    await openRedis(redis, startMs)
    await replica.start()

    async function followKeys(algorithm: AsymmetricAlgorithm, { replaceKeys }: TokenVerifier) {
      const remote = createRemoteKeys({ api, algorithm, log: app.log, onKeys: replaceKeys })
      app.addHook('onClose', () => remote.stop())
      await remote.start()
      return remote.find
    }

    function check(claims: CoveredClaims, token: string): Verdict | Promise<Verdict> {
      return replica.decide(claims) ?? ask(token)
    }

    async function ask(token: string): Promise<Verdict> {
      try {
        return (await isActive(token)) ? { kind: 'live' } : { kind: 'revoked', by: 'token' }
      } catch (cause) {
        if (cause instanceof KeycardUnavailable) throw problem('DEPENDENCY_UNAVAILABLE', { cause })
        throw cause
      }
    }

    app.decorate('keycard', { status: replica.status })
    await app.register(guard, {
      accessTokens: verifier,
      check,
      ...(findKeys !== undefined && { findKeys })
    })
  },
  { name: 'keycard-guard', fastify: '5.x' }
)

/** @throws TypeError for what is no address of Redis; it is not quoted, as it may hold a password */
function openFeed(redisUrl: string, leaseMs: number): RedisClient {
  const reading = redisTarget(redisUrl)
  if (reading.kind === 'wrong') throw new TypeError(`redisUrl must be ${reading.allowed}`)
  const redis = createFeedClient(reading.value, { commandTimeoutMs: leaseMs })
  // Whoever needed the connection is told by the command.
  redis.on('error', () => undefined)
  return redis
}
