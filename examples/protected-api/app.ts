import Fastify, { type FastifyInstance } from 'fastify'
import keycard, {
  authenticatedUser,
  type KeycardGuardOptions,
  problem,
  problems
} from '../../src/guard/plugin.js'

export interface ProtectedApiOptions {
  readonly keycard: KeycardGuardOptions
  readonly logger?: boolean
}

/** A Fastify app of somebody else's: it has Keycard's guard, and routes of its own. */
export async function buildProtectedApi(options: ProtectedApiOptions): Promise<FastifyInstance> {
  const app = Fastify({ logger: options.logger ?? false })

  await app.register(problems)
  await app.register(keycard, options.keycard)

  const routes = { prefix: '/api', board: createBoard() }
  await app.register(publicRoutes, routes)
  await app.register(memberRoutes, routes)
  await app.register(staffRoutes, routes)
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
