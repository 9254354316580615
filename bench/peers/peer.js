/** What every peer shares: where it listens, what it answers, and how it says that it is ready. */
import { randomUUID } from 'node:crypto'

export const settings = {
  port: Number(process.env.PORT ?? 0),
  databaseUrl: process.env.DATABASE_URL,
  redisUrl: process.env.REDIS_URL,
  /** How many different requests take turns. */
  requests: Number(process.env.REQUESTS ?? 500),
  newId: randomUUID
}

/** The body of every protected route in the comparison. */
export const answer = { message: 'You are logged in.' }

/** As many requests as are wanted, each with a token of its own. */
export function requestsWith(newToken) {
  return Array.from({ length: settings.requests }, () => ({
    headers: { authorization: `Bearer ${newToken()}` }
  }))
}

/** Says in one line of JSON where it listens and which requests it lets pass. */
export function ready(server, requests, path = '/protected') {
  // As Fastify's: a connection of the load must not be closed under it.
  server.keepAliveTimeout = 72_000
  const { port } = server.address()
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}${path}`, requests })}\n`)
}
