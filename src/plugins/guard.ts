import type { FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { problem } from '../problems.js'
import type { Verdict } from '../revocation/decision.js'
import type { AccessTokens } from '../tokens/access-tokens.js'
import type { AccessClaims } from '../tokens/claims.js'
import type { Verification } from '../tokens/verification.js'
import { bearerToken } from './bearer-token.js'

/** Who makes the request, as the access token says. */
export interface AuthenticatedUser {
  readonly id: string
  readonly roles: readonly string[]
  readonly sessionId: string
  readonly tokenId: string
  /** The user's token version and the generation at issue. */
  readonly version: number
  readonly generation: number
  /** Seconds since the epoch. */
  readonly expiresAt: number
}

type Guard = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the guards; null where none has run, or nobody is logged in on an optional route. */
    user: AuthenticatedUser | null
  }
  interface FastifyInstance {
    /** Hook: lets only requests with a good access token pass. */
    authenticate: Guard
    /** Hook: as `authenticate`, but a request without any token passes as nobody. */
    optionalAuth: Guard
    /** Makes a hook: as `authenticate`, and the user must have one of these roles. */
    authorize: (...roles: [string, ...string[]]) => Guard
  }
}

export interface GuardOptions {
  readonly accessTokens: Pick<AccessTokens, 'verify'>
  /** Whether a revocation covers this token. Rejects where that can't be known: answered 503. */
  readonly check: (claims: AccessClaims, token: string) => Verdict | Promise<Verdict>
  /** Looks for keys that are not known yet, before a token of one is refused. Never rejects. */
  readonly findKeys?: () => Promise<void>
}

/**
 * Guards for routes, here and in other Fastify apps. Hang them on a route or a scope
 * (`onRequest: app.authenticate`), never on a comparison of paths. They throw problems: 401 with
 * `WWW-Authenticate` (RFC 6750 §3), 403 where a role is missing, 503 where nobody can decide.
 */
export default fp<GuardOptions>(
  async function guardPlugin(app, { accessTokens, check, findKeys }) {
    /** One frozen object per token, however many requests bring it. */
    const users = new WeakMap<AccessClaims, AuthenticatedUser>()

    function userOf(claims: AccessClaims): AuthenticatedUser {
      const known = users.get(claims)
      if (known !== undefined) return known
      const user = makeUser(claims)
      users.set(claims, user)
      return user
    }

    async function verify(token: string): Promise<Verification> {
      const verification = accessTokens.verify(token)
      const isOfUnknownKey =
        verification.kind === 'invalid' && verification.reason === 'unknown-key'
      if (!isOfUnknownKey || findKeys === undefined) return verification
      await findKeys()
      return accessTokens.verify(token)
    }

    async function identify(request: FastifyRequest): Promise<AuthenticatedUser | null> {
      const token = bearerToken(request)
      if (token === undefined) return null
      const verification = await verify(token)
      if (verification.kind === 'invalid') {
        request.log.debug({ event: 'token.invalid', reason: verification.reason })
        throw refusal('INVALID_TOKEN')
      }
      if (verification.kind === 'expired') throw refusal('TOKEN_EXPIRED')
      const { claims } = verification
      const verdict = await check(claims, token)
      if (verdict.kind === 'revoked') throw refusal('TOKEN_REVOKED')
      return userOf(claims)
    }

    async function authenticate(request: FastifyRequest): Promise<void> {
      request.user ??= await identify(request)
      if (request.user === null) {
        throw problem('MISSING_TOKEN')
      }
    }

    async function optionalAuth(request: FastifyRequest): Promise<void> {
      request.user ??= await identify(request)
    }

    function authorize(...roles: [string, ...string[]]): Guard {
      return async function requireRole(request) {
        await authenticate(request)
        if (!roles.some((role) => request.user?.roles.includes(role))) {
          throw forbidden()
        }
      }
    }

    app.decorateRequest('user', null)
    app.decorate('authenticate', authenticate)
    app.decorate('optionalAuth', optionalAuth)
    app.decorate('authorize', authorize)
  },
  { name: 'guard', fastify: '5.x' }
)

/** The user of a request that a guard has let pass. */
export function authenticatedUser(request: FastifyRequest): AuthenticatedUser {
  if (request.user === null) throw new Error(`${request.routeOptions.url} has no guard`)
  return request.user
}

/** The 401 for a token that was sent and is no good (RFC 6750 §3.1). */
export function refusal(code: 'INVALID_TOKEN' | 'TOKEN_EXPIRED' | 'TOKEN_REVOKED') {
  return problem(code, { headers: { 'www-authenticate': 'Bearer error="invalid_token"' } })
}

/** The 403 for a good token of somebody who lacks the role (RFC 6750 §3.1). */
export function forbidden() {
  return problem('FORBIDDEN', {
    headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' }
  })
}

function makeUser(claims: AccessClaims): AuthenticatedUser {
  return Object.freeze({
    id: claims.sub,
    roles: claims.roles,
    sessionId: claims.sid,
    tokenId: claims.jti,
    version: claims.ver,
    generation: claims.gen,
    expiresAt: claims.exp
  })
}
