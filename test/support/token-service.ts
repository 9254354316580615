import { randomUUID } from 'node:crypto'
import type { Clock } from '../../src/clock.js'
import {
  createAccessTokens,
  type AccessTokenGrant,
  type AccessTokens
} from '../../src/tokens/access-tokens.js'
import type { KeyRing } from '../../src/tokens/key-ring.js'

export const issuer = 'https://auth.example'
export const audience = 'keycard'
export const ttlSeconds = 900
/** A time in the middle of nowhere: 2026-01-01T00:00:00Z. */
export const startMs = 1_767_225_600_000

/** Access tokens of the test's issuer; without a clock, time stands still at `startMs`. */
export function createTestTokens(
  keyRing: KeyRing,
  changes: { clock?: Clock; ttlSeconds?: number; cacheSize?: number } = {}
): AccessTokens {
  const defaults = { issuer, audience, ttlSeconds, clock: () => startMs }
  return createAccessTokens({ keyRing, ...defaults, ...changes })
}

export function newGrant(changes: Partial<AccessTokenGrant> = {}): AccessTokenGrant {
  const ids = { userId: randomUUID(), sessionId: randomUUID() }
  return { ...ids, version: 0, generation: 0, roles: ['user'], ...changes }
}
