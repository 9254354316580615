import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import fp from 'fastify-plugin'
import { problem } from '../problems.js'
import type { Verdict } from '../revocation/decision.js'
import type { AccessTokens } from '../tokens/access-tokens.js'
import type { AccessClaims } from '../tokens/claims.js'
import type { Verification } from '../tokens/verification.js'
import { bearerToken } from './bearer-token.js'
import { hadBody, takesBodies } from './late-body.js'

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

/**
 * A hook. Fastify passes `done` and is told by it; whoever leaves it out gets a promise. Nearly every
 * request is judged at once, from memory, so that none of them waits for a turn of the event loop.
 */
interface Guard {
  (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void
  (request: FastifyRequest, reply: FastifyReply): Promise<void>
}

/** Undefined once the request may pass; throws, or rejects, where it may not. */
type Judgement = Promise<void> | undefined

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
 * `WWW-Authenticate` (RFC 6750 §3), 403 where a role is missing, 503 where nobody can decide. Whom a
 * guard let pass before the body was read is judged once more when it is there.
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

    function identify(request: FastifyRequest): Judgement {
      return request.user === null ? judgeToken(request) : undefined
    }

    /** What was true of a token at the head of a request need not be when its body is there. */
    function identifyAgain(request: FastifyRequest): Judgement {
      return request.user !== null && hadBody(request) ? judgeToken(request) : undefined
    }

    function judgeToken(request: FastifyRequest): Judgement {
      const token = bearerToken(request)
      if (token === undefined) return undefined
      const verification = accessTokens.verify(token)
      const isOfUnknownKey =
        verification.kind === 'invalid' && verification.reason === 'unknown-key'
      return isOfUnknownKey && findKeys !== undefined
        ? findKeys().then(() => admit(request, token, accessTokens.verify(token)))
        : admit(request, token, verification)
    }

    function admit(request: FastifyRequest, token: string, verification: Verification): Judgement {
      if (verification.kind === 'invalid') {
        request.log.debug({ event: 'token.invalid', reason: verification.reason })
        throw refusal('INVALID_TOKEN')
      }
      if (verification.kind === 'expired') throw refusal('TOKEN_EXPIRED')
      const { claims } = verification
      const verdict = check(claims, token)
      return verdict instanceof Promise
        ? verdict.then((late) => settle(request, claims, late))
        : settle(request, claims, verdict)
    }

    function settle(request: FastifyRequest, claims: AccessClaims, verdict: Verdict): undefined {
      if (verdict.kind === 'revoked') throw refusal('TOKEN_REVOKED')
      request.user = userOf(claims)
    }

    const authenticate = guardOf(identify, (request) => {
      if (request.user === null) throw problem('MISSING_TOKEN')
    })
    const optionalAuth = guardOf(identify, () => undefined)
    const afterBody = guardOf(identifyAgain, () => undefined)

    function authorize(...roles: [string, ...string[]]): Guard {
      return guardOf(identify, (request) => {
        if (request.user === null) throw problem('MISSING_TOKEN')
        const held = request.user.roles
        if (!roles.some((role) => held.includes(role))) throw forbidden()
      })
    }

    app.addHook('onRoute', (route) => {
      if (!takesBodies(route)) return
      route.preValidation = [afterBody, ...[route.preValidation ?? []].flat()]
    })
    app.decorateRequest('user', null)
    app.decorate('authenticate', authenticate)
    app.decorate('optionalAuth', optionalAuth)
    app.decorate('authorize', authorize)
  },
  { name: 'guard', fastify: '5.x' }
)

/** Makes a guard of who is asking, and what that must be. */
function guardOf(
  identify: (request: FastifyRequest) => Judgement,
  demand: (request: FastifyRequest) => void
): Guard {
  function judge(request: FastifyRequest): Judgement {
    const late = identify(request)
    if (late !== undefined) return late.then(() => demand(request))
    demand(request)
    return undefined
  }

  function guard(request: FastifyRequest, reply: FastifyReply): Promise<void>
  function guard(request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void
  function guard(
    request: FastifyRequest,
    _reply: FastifyReply,
    done?: HookHandlerDoneFunction
  ): Promise<void> | undefined {
    if (done === undefined) return Promise.resolve().then(() => judge(request))
    let late: Judgement
    try {
      late = judge(request)
    } catch (error) {
      done(errorOf(error))
      return undefined
    }
    if (late === undefined) done()
    else
      late.then(
        () => done(),
        (error: unknown) => done(errorOf(error))
      )
    return undefined
  }

  return guard
}

const errorOf = (thrown: unknown): Error =>
  thrown instanceof Error ? thrown : new Error('Something else than an error was thrown')

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
