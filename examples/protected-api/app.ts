import Fastify, { type FastifyInstance } from 'fastify'
import {
  type AccessTokens,
  authenticatedUser,
  database,
  guard,
  methodNotAllowed,
  problem,
  problems,
  redis,
  revocation,
  systemClock,
  translateError
} from '../../src/index.js'

export interface ProtectedApiOptions {
  /** Where Keycard keeps its state, and the keys it signs with. */
  readonly databaseUrl: string
  readonly redisUrl: string | undefined
  readonly accessTokens: AccessTokens
  readonly accessTokenTtlSeconds: number
  readonly logger?: boolean
}

/** A Fastify app of somebody else's: it has Keycard's guard, and routes of its own. */
export async function buildProtectedApi(options: ProtectedApiOptions): Promise<FastifyInstance> {
  const { databaseUrl, redisUrl, accessTokens, accessTokenTtlSeconds } = options
  const app = Fastify({ logger: options.logger ?? false })

  await app.register(problems, { translate: translateError })
  await app.register(database, { url: databaseUrl })
  await app.register(redis, { url: redisUrl })
  await app.register(revocation, {
    mode: redisUrl === undefined ? 'database' : 'redis',
    deadlineMs: 2_000,
    accessTokenTtlSeconds,
    clock: systemClock
  })
  await app.register(guard, { accessTokens, check: app.revocation.check })

  const routes = { prefix: '/api', board: createBoard() }
  await app.register(publicRoutes, routes)
  await app.register(memberRoutes, routes)
  await app.register(staffRoutes, routes)
  await app.register(methodNotAllowed)
  return app
}

/** What this API is about; a real one has a database. */
function createBoard() {
  return {
    visits: new Map<string, number>(),
    posts: new Map([
      ['1', { id: '1', text: 'First post' }],
      ['2', { id: '2', text: 'Second post' }]
    ])
  }
}

interface BoardOptions {
  readonly board: ReturnType<typeof createBoard>
}

/** For everybody. With a token, the feed knows who reads it. */
async function publicRoutes(app: FastifyInstance, { board }: BoardOptions): Promise<void> {
  app.get('/public', async () => ({ message: 'Anyone may read this.' }))

  app.get('/feed', { onRequest: app.optionalAuth }, async ({ user }) => ({
    greeting: user === null ? 'Hello, stranger.' : `Hello, ${user.id}.`,
    posts: [...board.posts.values()]
  }))
}

/** For everybody who is logged in: one hook on the scope, so that no route can be forgotten. */
async function memberRoutes(app: FastifyInstance, { board }: BoardOptions): Promise<void> {
  app.addHook('onRequest', app.authenticate)

  app.get('/protected', async () => ({ message: 'You are logged in.' }))

  app.get('/profile', async (request) => {
    const { id, roles, sessionId } = authenticatedUser(request)
    return { id, roles, sessionId }
  })

  app.get('/dashboard', async (request) => {
    const { id, expiresAt } = authenticatedUser(request)
    const visits = (board.visits.get(id) ?? 0) + 1
    board.visits.set(id, visits)
    return { visits, tokenExpiresAt: new Date(expiresAt * 1_000).toISOString() }
  })

  app.get('/settings', async (request) => {
    const { id } = authenticatedUser(request)
    return { owner: id, theme: 'dark' }
  })
}

/** For those who have a role. */
async function staffRoutes(app: FastifyInstance, { board }: BoardOptions): Promise<void> {
  app.get('/admin/users', { onRequest: app.authorize('admin') }, async () => ({
    users: [...board.visits].map(([id, count]) => ({ id, visits: count }))
  }))

  app.delete<{ Params: { id: string } }>(
    '/posts/:id',
    { onRequest: app.authorize('admin', 'moderator') },
    async (request, reply) => {
      if (!board.posts.delete(request.params.id)) throw problem('NOT_FOUND')
      return await reply.code(204).send()
    }
  )
}
