import { isJwtAlgorithm, jwtAlgorithms, type JwtAlgorithm } from './algorithms.js'
import { isJwkObject } from './jwk-members.js'
import { KeyRingError } from './key-ring-error.js'

/** One entry of a key ring file. "verify" is a key on its way in or out; "retired" one that is no longer believed. */
export interface KeyRingEntry {
  readonly kid: string
  readonly alg: JwtAlgorithm
  readonly status: KeyStatus
  /** PEM text or a JWK; for HS256 a secret or a JWK of type oct. A retired key may be left out. */
  readonly key?: unknown
}

const statuses = ['active', 'verify', 'retired'] as const
export type KeyStatus = (typeof statuses)[number]

const members = new Set(['kid', 'alg', 'status', 'key'])
const kidPattern = /^[A-Za-z0-9._~:-]{1,128}$/

/**
 * Checks the form of one entry; the key itself is loaded later.
 * @throws {KeyRingError} naming the entry by its position while its kid cannot be trusted to be one
 */
export function parseKeyRingEntry(entry: unknown, position: number): KeyRingEntry {
  const place = `Entry ${String(position)} of the key ring`
  if (!isJwkObject(entry)) throw new KeyRingError(`${place} must be a JSON object.`)
  const { kid, alg, status, key } = entry
  if (typeof kid !== 'string' || !kidPattern.test(kid)) {
    throw new KeyRingError(
      `${place} must have a "kid" of 1 to 128 letters, digits and the characters . _ ~ : -`
    )
  }
  if (Object.keys(entry).some((member) => !members.has(member))) {
    throw new KeyRingError(`${keyName(kid)} may have the members kid, alg, key and status only.`)
  }
  if (!isJwtAlgorithm(alg)) {
    throw new KeyRingError(`${keyName(kid)} must have an "alg" of ${jwtAlgorithms.join(', ')}.`)
  }
  const known = statuses.find((candidate) => candidate === status)
  if (known === undefined) {
    throw new KeyRingError(`${keyName(kid)} must have a "status" of ${statuses.join(', ')}.`)
  }
  if (isJwkObject(key) && key['kid'] !== undefined && key['kid'] !== kid) {
    throw new KeyRingError(`${keyName(kid)} has a JWK with another "kid": make them the same.`)
  }
  return { kid, alg, status: known, key }
}

/** How messages call a key. A kid is public: every token carries it. */
export function keyName(kid: string): string {
  return `The key "${kid}"`
}
