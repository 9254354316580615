import type { FastifyInstance } from 'fastify'

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
export const answer = { message: 'You are logged in.' }

export const answerSchema = {
  response: {
    200: { type: 'object', required: ['message'], properties: { message: { type: 'string' } } }
  }
} as const

/** Listens on PORT, and says where in one line of JSON. */
export async function announce(app: FastifyInstance, path: string): Promise<void> {
  const port = Number(process.env['PORT'] ?? 0)
  const url = await app.listen({ host: '127.0.0.1', port })
  const announcement: Announcement = { url: url + path, requests: [] }
  process.stdout.write(`${JSON.stringify(announcement)}\n`)
}
