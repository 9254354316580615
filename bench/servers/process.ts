import type { FastifyInstance, RouteShorthandOptions } from 'fastify'

/** What a server of the comparison says when it listens. */
export interface Announcement {
  /** The route to ask for. */
  readonly url: string
  /** Requests that it lets pass, to take turns; none where whoever started it knows them. */
  readonly requests: readonly RequestHead[]
}

export interface RequestHead {
  readonly headers: Readonly<Record<string, string>>
}

/** The body of every protected route in the comparison, as in peers/peer.js. */
const answer = { message: 'You are logged in.' }

const schema = {
  response: {
    200: { type: 'object', required: ['message'], properties: { message: { type: 'string' } } }
  }
} as const

/** For the question of what the size of an answer does: `/protected/` and one of these, in bytes. */
export const answerSizes = [100, 1_000, 10_000, 100_000] as const

/** Adds `/protected`, and the same with longer answers. */
export function addRoutes(
  app: FastifyInstance,
  options: Pick<RouteShorthandOptions, 'onRequest'> = {}
): void {
  app.get('/protected', { ...options, schema }, async () => answer)
  for (const bytes of answerSizes) {
    const long = { message: 'x'.repeat(bytes) }
    app.get(`/protected/${bytes}`, { ...options, schema }, async () => long)
  }
}

/** What a process holds, without garbage, in bytes. */
export interface MemoryReport {
  readonly resident: number
  readonly inUse: number
}

/** At SIGUSR2 it says what it holds, where it was started with --expose-gc. */
function reportMemory(): void {
  for (let count = 0; count < 3; count++) globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  const report: MemoryReport = { resident: rss, inUse: heapUsed + external }
  process.stdout.write(`${JSON.stringify(report)}\n`)
}

/** Listens on PORT, and says where in one line of JSON. */
export async function announce(app: FastifyInstance, path: string): Promise<void> {
  process.on('SIGUSR2', reportMemory)
  const port = Number(process.env['PORT'] ?? 0)
  const url = await app.listen({ host: '127.0.0.1', port })
  const announcement: Announcement = { url: url + path, requests: [] }
  process.stdout.write(`${JSON.stringify(announcement)}\n`)
}
