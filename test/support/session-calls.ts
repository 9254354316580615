import type { Test } from 'tap'
import { findSession, type SessionFacts } from '../../src/sessions/store.js'
import type { Answer, Client } from './client.js'
import type { Person, TestKeycard } from './keycard.js'

/** The tokens that a client without cookies holds for one session. */
export type Tokens = Pick<Person, 'sessionId' | 'accessToken' | 'refreshToken'>

/** @throws where the answer brought no tokens in its body */
export function tokensOf({ status, body }: Answer): Tokens {
  const { sessionId, accessToken, refreshToken } = body
  if (!sessionId || !accessToken || !refreshToken) {
    throw new Error(`No tokens came: ${status} ${body.code ?? ''}`)
  }
  return { sessionId, accessToken, refreshToken }
}

export function refresh(client: Client, refreshToken: unknown): Promise<Answer> {
  return client.post('/api/auth/refresh', { body: { refreshToken } })
}

export function me(client: Client, token: string): Promise<Answer> {
  return client.get('/api/auth/me', { token })
}

/** Answered by the guard alone: `/me` would miss the account of a deleted user by itself. */
export function listSessions(client: Client, token: string): Promise<Answer> {
  return client.get('/api/auth/sessions', { token })
}

/** What came of a call in one word: the code of a problem, else the status. */
export function verdict({ status, body }: Answer): string | number {
  return body.code ?? status
}

type Credentials = Pick<Person, 'email' | 'password'>

export function logIn(client: Client, { email, password }: Credentials): Promise<Answer> {
  return client.post('/api/auth/login', { body: { email, password, tokenDelivery: 'body' } })
}

/** A session as the database has it. @throws where there is none */
export async function sessionRow(keycard: TestKeycard, sessionId: string): Promise<SessionFacts> {
  const row = await keycard.app.database.read((db) => findSession(db, sessionId))
  if (row === undefined) throw new Error('There is no such session')
  return row
}

/** Asserts that neither token of a session is good for anything. */
export async function assertDead(t: Test, client: Client, tokens: Tokens): Promise<void> {
  const visit = await listSessions(client, tokens.accessToken)
  t.equal(verdict(visit), 'TOKEN_REVOKED', 'the access token is dead')
  const refreshed = await refresh(client, tokens.refreshToken)
  t.equal(verdict(refreshed), 'INVALID_REFRESH_TOKEN', 'the refresh token is dead')
}

/** Asserts that both tokens of a session are good, and returns the next pair. */
export async function assertLives(t: Test, client: Client, tokens: Tokens): Promise<Tokens> {
  t.equal(verdict(await me(client, tokens.accessToken)), 200, 'the access token lives')
  const refreshed = await refresh(client, tokens.refreshToken)
  t.equal(verdict(refreshed), 200, 'the refresh token lives')
  return tokensOf(refreshed)
}
