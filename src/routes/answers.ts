import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Static } from 'typebox'
import type { User } from '../accounts/store.js'
import { clientIp } from '../http/client-ip.js'
import type { Receipt } from '../revocation/announcer.js'
import type { Credentials } from '../sessions/credentials.js'
import type { Client } from '../sessions/sessions.js'
import type { ListedSession } from '../sessions/store.js'
import type { ReceiptSchema, SessionSchema, TokenAnswerSchema, UserSchema } from './schemas.js'

const longestUserAgent = 512

/** An account as its owner may see it: never a hash, a version or a flag. */
export function userAnswer(user: User): Static<typeof UserSchema> {
  return {
    id: user.id,
    email: user.email,
    name: user.name,
    roles: user.roles,
    emailVerified: user.emailVerifiedAt !== null,
    createdAt: user.createdAt.toISOString()
  }
}

/** A session as it is listed. @param currentId the session of whoever asks */
export function sessionAnswer(
  session: ListedSession,
  currentId: string
): Static<typeof SessionSchema> {
  return {
    ...session,
    current: session.id === currentId,
    createdAt: session.createdAt.toISOString(),
    lastUsedAt: session.lastUsedAt.toISOString(),
    expiresAt: session.expiresAt.toISOString()
  }
}

/** A receipt as the contract has it: how it is known of each node is for operators at a terminal. */
export function receiptAnswer(receipt: Receipt): Static<typeof ReceiptSchema> {
  return {
    ...receipt,
    nodes: receipt.nodes.map(({ id, appliedAfterMs }) => ({ id, appliedAfterMs }))
  }
}

/** Hands out a pair of tokens; the refresh token goes into the cookie or the body, never into both. */
export function tokenAnswer(
  app: FastifyInstance,
  reply: FastifyReply,
  credentials: Credentials,
  delivery: 'cookie' | 'body'
): Static<typeof TokenAnswerSchema> {
  const { accessToken, sessionId, refreshToken } = credentials
  const answer = {
    accessToken,
    tokenType: 'Bearer',
    expiresIn: credentials.expiresInSeconds,
    sessionId
  } as const
  if (delivery === 'body') return { ...answer, refreshToken }
  app.refreshCookie.set(reply, refreshToken, credentials.refreshExpiresInSeconds)
  return answer
}

export function clientOf(request: FastifyRequest): Client {
  const userAgent = request.headers['user-agent'] ?? null
  return { ip: clientIp(request), userAgent: userAgent && userAgent.slice(0, longestUserAgent) }
}
