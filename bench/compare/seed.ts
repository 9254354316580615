import { randomBytes } from 'node:crypto'
import type postgres from 'postgres'
import { systemClock } from '../../src/clock.js'
import { createHashing } from '../../src/passwords/hashing.js'
import { createRefreshTokens } from '../../src/sessions/refresh-token.js'
import { createAccessTokens } from '../../src/tokens/access-tokens.js'
import { type KeyRing, keyRingFromSecret } from '../../src/tokens/key-ring.js'
import { newSecrets } from '../../test/support/keycard.js'
import type { RequestHead } from '../servers/process.js'

/** Everybody's password: one hash of it makes any number of users in seconds. */
export const password = 'violet harbour 17 kite'

/** OWASP's floor and Keycard's default. */
export const argon2Cost = { memoryKib: 19_456, time: 2, parallelism: 1 }

const salt = randomBytes(16)
/** Of a deployment that runs already, its own: the environment tells them. */
const fresh = newSecrets()
const secrets = {
  jwt: process.env['JWT_SECRET'] ?? fresh.jwt,
  refresh: process.env['REFRESH_SECRET'] ?? fresh.refresh
}
const issuer = process.env['JWT_ISSUER'] ?? 'https://bench.example'

/** What the nodes of the comparison are told, on top of where their servers are. */
export const nodeEnvironment = {
  JWT_SECRET: secrets.jwt,
  REFRESH_SECRET: secrets.refresh,
  JWT_ISSUER: issuer,
  ACCESS_TOKEN_TTL: '1h',
  RATE_LIMIT: 'off',
  LOG_LEVEL: 'warn'
}

export const emailOf = (user: number): string => `user-${user}@bench.example`

/** What all accounts and sessions of one seeding share. */
export interface Seeding {
  /** Eight hexadecimal digits, with which all ids begin: ids that were revoked stay so for a while. */
  readonly prefix: string
  /** The generation under which the sessions were opened. */
  readonly generation: number
}

export const firstSeeding: Seeding = { prefix: '00000000', generation: 1 }

/** As UUIDv7s do, later ones sort behind earlier ones. The script for pgbench makes the same. */
const userId = (user: number, { prefix }: Seeding): string => idOf(prefix, '8000', user)
export const sessionId = (session: number, { prefix } = firstSeeding): string =>
  idOf(prefix, '9000', session)

function idOf(prefix: string, group: string, index: number): string {
  return `${prefix}-0000-7000-${group}-${index.toString(16).padStart(12, '0')}`
}

/** Users 1 to `count`, each with the session of the same number. */
export async function seedUsers(
  sql: postgres.Sql,
  count: number,
  { prefix, generation } = firstSeeding
): Promise<string> {
  const hash = await createHashing(argon2Cost).hash(password)
  await sql`
    insert into users (id, email, name, password_hash, roles, created_at, updated_at)
    select (${prefix} || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'user-' || n || '@bench.example',
      'User ' || n, ${hash}, '{user}', now(), now()
    from generate_series(1, ${count}::int) n`
  await sql`
    insert into sessions (id, user_id, version, generation, salt, created_at, last_used_at, expires_at, ip)
    select (${prefix} || '-0000-7000-9000-' || lpad(to_hex(n), 12, '0'))::uuid,
      (${prefix} || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 1, ${generation}::int, ${salt}, now(), now(),
      now() + interval '1 day', '127.0.0.1'
    from generate_series(1, ${count}::int) n`
  await sql`vacuum analyze users, sessions`
  return hash
}

/** Removes what `seedUsers` made, sessions included. */
export async function clearSeed(sql: postgres.Sql): Promise<void> {
  await sql`delete from users where email like 'user-%@bench.example'`
}

/** Revocations of others, which cover none of the tokens in use. */
export async function seedRevocations(sql: postgres.Sql, count: number): Promise<void> {
  await sql`
    insert into revocations (id, kind, target, reason, created_at, live_until)
    select gen_random_uuid(), 'session', gen_random_uuid(), 'bench', now(), now() + interval '1 hour'
    from generate_series(1, ${count}::int)`
}

export interface Grants {
  readonly keyRing?: KeyRing
  readonly roles?: readonly string[]
  readonly seeding?: Seeding
  /** The number of the first user, counted from 1. */
  readonly first?: number
  readonly ttlSeconds?: number
}

/** The token of each of so many users, the first ones by default, in the session that was made for it. */
export function accessTokensOf(
  users: number,
  { keyRing, roles = ['user'], seeding = firstSeeding, first = 1, ttlSeconds = 3_600 }: Grants = {}
): string[] {
  const { issue } = createAccessTokens({
    keyRing: keyRing ?? keyRingFromSecret(secrets.jwt),
    issuer,
    audience: 'keycard',
    ttlSeconds,
    clock: systemClock
  })
  return Array.from({ length: users }, (_, index) => {
    const ids = {
      userId: userId(first + index, seeding),
      sessionId: sessionId(first + index, seeding)
    }
    return issue({ ...ids, version: 1, generation: seeding.generation, roles }).token
  })
}

/** The refresh token of a session that has not been refreshed. */
export function refreshTokenOf(session: number, seeding = firstSeeding): string {
  return createRefreshTokens(secrets.refresh).mint(sessionId(session, seeding), 0, salt)
}

export function bearing(tokens: readonly string[]): RequestHead[] {
  return tokens.map((token) => ({ headers: { authorization: `Bearer ${token}` } }))
}
