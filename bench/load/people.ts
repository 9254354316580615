import { accessTokensOf, emailOf, password, refreshTokenOf, type Seeding } from '../compare/seed.js'
import { requestBytes } from './driver/connection.js'
import { notRevoked, type Revocation } from './witness.js'

/** One access token. It stays what it was when its owner gets another one. */
export interface Card {
  readonly accessToken: string
  /** The request for the protected route with it. */
  readonly visit: Buffer
  readonly revocation: Revocation
}

/** An account that takes part, in a session of its own. */
export interface Person {
  readonly number: number
  card: Card
  refreshToken: string
}

export interface PeopleOptions {
  /** The number of the first of them, counted from 1. */
  readonly first: number
  readonly count: number
  readonly seeding: Seeding
  /** Of their access tokens. */
  readonly ttlSeconds: number
  readonly protectedPath: string
}

/** Some of the accounts of a seeding. */
export function peopleOf(options: PeopleOptions): Person[] {
  const { first, count, seeding, ttlSeconds, protectedPath } = options
  return accessTokensOf(count, { first, seeding, ttlSeconds }).map((accessToken, index) => ({
    number: first + index,
    card: newCard(accessToken, protectedPath),
    refreshToken: refreshTokenOf(first + index, seeding)
  }))
}

function newCard(accessToken: string, protectedPath: string): Card {
  const visit = requestBytes({ path: protectedPath, headers: bearer(accessToken) })
  return { accessToken, visit, revocation: notRevoked() }
}

export function loginBytes({ number }: Person): Buffer {
  const body = { email: emailOf(number), password, tokenDelivery: 'body' }
  return requestBytes({ method: 'POST', path: '/api/auth/login', body })
}

export function refreshBytes({ refreshToken }: Person): Buffer {
  return requestBytes({ method: 'POST', path: '/api/auth/refresh', body: { refreshToken } })
}

export function logoutBytes({ accessToken }: Card): Buffer {
  return requestBytes({ method: 'POST', path: '/api/auth/logout', headers: bearer(accessToken) })
}

/** Takes over the pair in the answer to a login or a refresh. */
export function takePair(person: Person, body: string, protectedPath: string): void {
  const pair: unknown = JSON.parse(body)
  if (!isPair(pair)) throw new Error('A login or a refresh was answered without tokens')
  person.card = newCard(pair.accessToken, protectedPath)
  person.refreshToken = pair.refreshToken
}

function isPair(value: unknown): value is { accessToken: string; refreshToken: string } {
  return (
    typeof value === 'object' &&
    value !== null &&
    'accessToken' in value &&
    typeof value.accessToken === 'string' &&
    'refreshToken' in value &&
    typeof value.refreshToken === 'string'
  )
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
