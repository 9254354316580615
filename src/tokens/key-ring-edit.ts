import { definingMembers } from './jwk.js'
import { type KeyRingEntry, keyName } from './key-ring-entry.js'
import { KeyRingError } from './key-ring-error.js'
import { loadSigningKey, loadVerificationKey } from './key-material.js'

type Entries = readonly KeyRingEntry[]

/** Adds a key that is known to all before it signs. */
export function stageKey(entries: Entries, entry: KeyRingEntry): KeyRingEntry[] {
  return [...entries, { ...entry, status: 'verify' }]
}

/**
 * Makes a staged key the one that signs. The key before it goes on verifying what it signed, without
 * its private part: it has no use for that any more.
 *
 * @throws KeyRingError where there is no such key that could sign
 */
export function activateKey(entries: Entries, kid: string): KeyRingEntry[] {
  const staged = find(entries, kid)
  if (staged.status !== 'verify') {
    throw new KeyRingError(
      `${keyName(kid)} is ${staged.status}: only a staged key can be activated.`
    )
  }
  loadSigningKey({ name: keyName(kid), algorithm: staged.alg, key: staged.key })
  return entries.map((entry) => {
    if (entry.kid === kid) return { ...entry, status: 'active' }
    return entry.status === 'active' ? { ...publicEntry(entry), status: 'verify' } : entry
  })
}

/** The keys that could be activated: those that verify and could sign. */
export function stagedKeys(entries: Entries): string[] {
  return entries
    .filter((entry) => entry.status === 'verify' && canSign(entry))
    .map(({ kid }) => kid)
}

/**
 * Makes a key one that nobody believes any more. Of a secret nothing stays; a public key stays, so
 * that it can't come back under another name.
 *
 * @throws KeyRingError where there is no such key, or it signs: another must be active before
 */
export function retireKey(entries: Entries, kid: string): KeyRingEntry[] {
  if (find(entries, kid).status === 'active') {
    throw new KeyRingError(`${keyName(kid)} is active: rotate first.`)
  }
  return entries.map((entry) => (entry.kid === kid ? retired(entry) : entry))
}

function retired(entry: KeyRingEntry): KeyRingEntry {
  const { kid, alg } = entry
  return alg === 'HS256'
    ? { kid, alg, status: 'retired' }
    : { ...publicEntry(entry), status: 'retired' }
}

function publicEntry(entry: KeyRingEntry): KeyRingEntry {
  const { kid, alg, key } = entry
  if (alg === 'HS256' || key === undefined) return entry
  return {
    ...entry,
    key: definingMembers(loadVerificationKey({ name: keyName(kid), algorithm: alg, key }))
  }
}

function canSign({ kid, alg, key }: KeyRingEntry): boolean {
  try {
    loadSigningKey({ name: keyName(kid), algorithm: alg, key })
    return true
  } catch {
    return false
  }
}

function find(entries: Entries, kid: string): KeyRingEntry {
  const entry = entries.find((candidate) => candidate.kid === kid)
  if (entry === undefined) throw new KeyRingError(`There is no key "${kid}" in the key ring.`)
  return entry
}
