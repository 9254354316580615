import fastifyCookie from '@fastify/cookie'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    refreshCookie: {
      read(request: FastifyRequest): string | undefined
      /** `maxAgeSeconds`: what is left of the session. */
      set(reply: FastifyReply, token: string, maxAgeSeconds: number): void
      clear(reply: FastifyReply): void
    }
  }
}

export interface RefreshCookieOptions {
  /** False only where the service is reached over plain HTTP, which is for development. */
  readonly secure: boolean
}

/**
 * The refresh token's cookie. Over HTTPS it has the `__Host-` prefix: no sibling domain can set or
 * shadow it. The attributes are the same when it is cleared, or browsers would keep it.
 */
export default fp<RefreshCookieOptions>(
  async function refreshCookie(app, { secure }) {
    await app.register(fastifyCookie)
    const name = secure ? '__Host-keycard_refresh' : 'keycard_refresh'
    const attributes = { httpOnly: true, secure, sameSite: 'strict', path: '/' } as const

    app.decorate('refreshCookie', {
      read: (request) => request.cookies[name],
      set(reply, token, maxAgeSeconds) {
        reply.setCookie(name, token, { ...attributes, maxAge: maxAgeSeconds })
      },
      clear(reply) {
        reply.clearCookie(name, attributes)
      }
    })
  },
  { name: 'refresh-cookie', fastify: '5.x' }
)
