import type { KeyObject } from 'node:crypto'
import type { JwtAlgorithm } from './algorithms.js'
import { thumbprint } from './jwk.js'
import { loadSigningKey, loadVerificationKey } from './key-material.js'
import { keyName, parseKeyRingEntry, type KeyRingEntry } from './key-ring-entry.js'
import { KeyRingError } from './key-ring-error.js'

/** A key whose tokens are accepted. Its algorithm is part of it, whatever a token says (RFC 8725 §3.1). */
export interface RingKey {
  readonly kid: string
  readonly algorithm: JwtAlgorithm
  readonly status: 'active' | 'verify'
  /** The secret for HS256, else the public key. */
  readonly verifyWith: KeyObject
}

/** The one key that signs. */
export interface ActiveKey extends RingKey {
  readonly status: 'active'
  readonly signWith: KeyObject
}

/** The keys of this service: one signs, all of them verify. Retired keys are not in it. */
export interface KeyRing {
  readonly active: ActiveKey
  readonly keys: readonly RingKey[]
  /** The only place where a kid is looked up: never a path, a query or an address (RFC 8725 §3.10). */
  readonly find: (kid: string) => RingKey | undefined
}

/**
 * A ring of one HS256 key. The kid is the start of the secret's thumbprint (RFC 7638): nodes with the same
 * secret agree on it, and another secret has another one.
 * @throws {KeyRingError} when the secret is weak or really a key document
 */
export function keyRingFromSecret(secret: string): KeyRing {
  const algorithm = 'HS256'
  const material = loadSigningKey({ name: 'The JWT secret', algorithm, key: secret })
  const kid = thumbprint(material.verifyWith).slice(0, 16)
  return createKeyRing({ kid, algorithm, status: 'active', ...material }, [])
}

/**
 * Reads a key ring file: `[{kid, alg, key, status: "active" | "verify" | "retired"}]`. Exactly one key is
 * active, of `expectedAlgorithm` where given. Symmetric and asymmetric keys don't mix among the keys in use.
 * The key of a retired entry need not be given and is not judged, but it must not live on under another kid.
 * @throws {KeyRingError} for the first thing that is wrong
 */
export function parseKeyRing(json: unknown, expectedAlgorithm?: JwtAlgorithm): KeyRing {
  const entries = parseKeyRingEntries(json)
  refuseSharedKids(entries)
  const [activeEntry, secondActive] = entries.filter(({ status }) => status === 'active')
  if (activeEntry === undefined || secondActive !== undefined) {
    throw new KeyRingError('The key ring must have exactly one key with "status": "active".')
  }
  if (expectedAlgorithm !== undefined && activeEntry.alg !== expectedAlgorithm) {
    throw new KeyRingError(
      `${keyName(activeEntry.kid)} is active and for ${activeEntry.alg}, but the service is set to sign with ${expectedAlgorithm}.`
    )
  }
  const ring = createKeyRing(
    loadActive(activeEntry),
    entries.filter(({ status }) => status === 'verify').map(loadVerifying)
  )
  refuseMixedFamilies(ring)
  refuseSharedKeys(ring, entries)
  return ring
}

/** The entries of a key ring file, the retired ones included; their keys are not judged. @throws KeyRingError */
export function parseKeyRingEntries(json: unknown): KeyRingEntry[] {
  if (!Array.isArray(json)) throw new KeyRingError('The key ring must be a JSON array of keys.')
  return json.map((entry, index) => parseKeyRingEntry(entry, index + 1))
}

/** As `parseKeyRing`, from the text of the file: JSON.parse would quote the keys in its error. */
export function parseKeyRingText(text: string, expectedAlgorithm?: JwtAlgorithm): KeyRing {
  return parseKeyRing(keyRingJson(text), expectedAlgorithm)
}

/** What the text of a key ring file says. @throws KeyRingError, which quotes nothing of it */
export function keyRingJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new KeyRingError('The key ring is not valid JSON.')
  }
}

function createKeyRing(active: ActiveKey, others: readonly RingKey[]): KeyRing {
  const keys = Object.freeze([active, ...others].map((key) => Object.freeze(key)))
  const byKid = new Map(keys.map((key) => [key.kid, key]))
  return Object.freeze({ active, keys, find: (kid: string) => byKid.get(kid) })
}

function loadActive({ kid, alg, key }: KeyRingEntry): ActiveKey {
  const material = loadSigningKey({ name: keyName(kid), algorithm: alg, key })
  return { kid, algorithm: alg, status: 'active', ...material }
}

function loadVerifying({ kid, alg, key }: KeyRingEntry): RingKey {
  const verifyWith = loadVerificationKey({ name: keyName(kid), algorithm: alg, key })
  return { kid, algorithm: alg, status: 'verify', verifyWith }
}

function refuseSharedKids(entries: readonly KeyRingEntry[]): void {
  const kids = new Set<string>()
  for (const { kid } of entries) {
    if (kids.has(kid)) throw new KeyRingError(`${keyName(kid)} is there twice: kids are unique.`)
    kids.add(kid)
  }
}

function refuseMixedFamilies({ active, keys }: KeyRing): void {
  const isSymmetric = ({ algorithm }: RingKey) => algorithm === 'HS256'
  const foreign = keys.find((key) => isSymmetric(key) !== isSymmetric(active))
  if (foreign === undefined) return
  throw new KeyRingError(
    `${keyName(foreign.kid)} is for ${foreign.algorithm} and cannot be used beside ${active.algorithm}: retire it.`
  )
}

/** A retired key that stays in use under another kid would still sign tokens that are believed. */
function refuseSharedKeys(ring: KeyRing, entries: readonly KeyRingEntry[]): void {
  const owners = new Map<string, string>()
  const claim = (kid: string, key: KeyObject) => {
    const print = thumbprint(key)
    const owner = owners.get(print)
    if (owner !== undefined) {
      throw new KeyRingError(`${keyName(kid)} is the same as the key "${owner}": make a new one.`)
    }
    owners.set(print, kid)
  }
  for (const { kid, verifyWith } of ring.keys) claim(kid, verifyWith)
  for (const entry of entries.filter(({ status }) => status === 'retired')) {
    const key = loadRetired(entry)
    if (key !== undefined) claim(entry.kid, key)
  }
}

function loadRetired(entry: KeyRingEntry): KeyObject | undefined {
  try {
    return loadVerifying(entry).verifyWith
  } catch {
    return undefined
  }
}
