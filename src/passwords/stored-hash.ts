/** Cost of an argon2 hash: memory in KiB, passes over it, lanes. */
export interface Argon2Cost {
  readonly memoryKib: number
  readonly time: number
  readonly parallelism: number
}

/** Bytes of an argon2 digest that we make. */
export const argon2DigestBytes = 32

/**
 * The most that verifying a stored hash may cost, and thus the most that can be configured: a
 * verification obeys the parameters in the stored string, and one imported row must not be able to
 * take gigabytes or minutes.
 */
export const argon2Limits: Argon2Cost = { memoryKib: 262_144, time: 10, parallelism: 16 }

const bcryptCost = { min: 4, max: 14 }
const argon2Version = 19
const saltBytes = { min: 8, max: 64 }
const digestBytes = { min: 16, max: 64 }
const longestEncoding = 512

/** Why a stored hash cannot be verified; worth a line in the log. */
export type StoredHashFlaw = 'unknown-algorithm' | 'malformed' | 'out-of-bounds'

export type StoredHash =
  | ({
      readonly kind: 'argon2'
      readonly encoded: string
      readonly type: 'argon2id' | 'argon2i' | 'argon2d'
      readonly digestBytes: number
    } & Argon2Cost)
  | { readonly kind: 'bcrypt'; readonly encoded: string }
  | { readonly kind: 'unusable'; readonly flaw: StoredHashFlaw }

/** Reads a stored hash strictly; total: whatever the string is, it answers. */
export function parseStoredHash(stored: string): StoredHash {
  if (stored.length > longestEncoding) return unusable('malformed')
  if (/^\$argon2(?:id|i|d)\$/.test(stored)) return parseArgon2(stored)
  if (/^\$2[aby]\$/.test(stored)) return parseBcrypt(stored)
  return unusable('unknown-algorithm')
}

/**
 * Whether a hash that matched should be replaced by one of the configured cost: it is not argon2id,
 * it is weaker in any parameter, or its digest has another length. One that is stronger stays.
 */
export function isOutdated(hash: StoredHash, configured: Argon2Cost): boolean {
  return (
    hash.kind !== 'argon2' ||
    hash.type !== 'argon2id' ||
    hash.memoryKib < configured.memoryKib ||
    hash.time < configured.time ||
    hash.parallelism < configured.parallelism ||
    hash.digestBytes !== argon2DigestBytes
  )
}

// The PHC string format, base64 without padding: $argon2id$v=19$m=19456,t=2,p=1$salt$digest
const argon2Format =
  /^\$(?<type>argon2id|argon2i|argon2d)\$v=(?<version>[1-9]\d{0,9})\$(?<cost>[mtp=,\d]+)\$(?<salt>[A-Za-z0-9+/]+)\$(?<digest>[A-Za-z0-9+/]+)$/

function parseArgon2(encoded: string): StoredHash {
  const parts = argon2Format.exec(encoded)?.groups
  const cost = parseCost(parts?.['cost'])
  const salt = decodedBytes(parts?.['salt'])
  const digest = decodedBytes(parts?.['digest'])
  if (cost === undefined || salt === undefined || digest === undefined) return unusable('malformed')
  const bounded =
    Number(parts?.['version']) === argon2Version &&
    isWithinLimits(cost) &&
    isBetween(salt, saltBytes) &&
    isBetween(digest, digestBytes)
  if (!bounded) return unusable('out-of-bounds')
  return {
    kind: 'argon2',
    encoded,
    type: argon2Type(parts?.['type']),
    digestBytes: digest,
    ...cost
  }
}

/** Reads m, t and p, each once. In any order: the package argon2 writes m,p,t, others m,t,p. */
function parseCost(text = ''): Argon2Cost | undefined {
  const parameters = new Map(
    Array.from(text.matchAll(/(?<=^|,)([mtp])=([1-9]\d{0,9})(?=,|$)/g), ([, name, value]) => [
      name,
      Number(value)
    ])
  )
  const memoryKib = parameters.get('m')
  const time = parameters.get('t')
  const parallelism = parameters.get('p')
  const complete = text.split(',').length === 3
  if (!complete || memoryKib === undefined || time === undefined || parallelism === undefined) {
    return undefined
  }
  return { memoryKib, time, parallelism }
}

function argon2Type(name: string | undefined): 'argon2id' | 'argon2i' | 'argon2d' {
  return name === 'argon2i' || name === 'argon2d' ? name : 'argon2id'
}

function isWithinLimits({ memoryKib, time, parallelism }: Argon2Cost): boolean {
  return (
    memoryKib <= argon2Limits.memoryKib &&
    time <= argon2Limits.time &&
    parallelism <= argon2Limits.parallelism &&
    // RFC 9106 §3.1: at least eight blocks of memory per lane.
    memoryKib >= 8 * parallelism
  )
}

/** Length in bytes of unpadded base64, or undefined where it is not the canonical encoding. */
function decodedBytes(base64: string | undefined): number | undefined {
  if (base64 === undefined) return undefined
  const bytes = Buffer.from(base64, 'base64')
  const canonical = bytes.toString('base64').replaceAll('=', '') === base64
  return canonical ? bytes.length : undefined
}

function isBetween(value: number, { min, max }: { min: number; max: number }): boolean {
  return value >= min && value <= max
}

// Cost, 22 characters of salt and 31 of digest; the last of each has unused bits that must be zero.
const bcryptFormat =
  /^\$2[aby]\$(?<cost>\d{2})\$[./A-Za-z0-9]{21}[.Oeu][./A-Za-z0-9]{30}[.CGKOSWaeimquy26]$/

/**
 * All three prefixes name the same function, read here as `2b`: 72 bytes count, the rest is ignored.
 * They differ in bugs of old implementations only, of which `2x` was the dangerous one.
 */
function parseBcrypt(stored: string): StoredHash {
  const cost = bcryptFormat.exec(stored)?.groups?.['cost']
  if (cost === undefined) return unusable('malformed')
  if (!isBetween(Number(cost), bcryptCost)) return unusable('out-of-bounds')
  return { kind: 'bcrypt', encoded: `$2b$${stored.slice(4)}` }
}

function unusable(flaw: StoredHashFlaw): StoredHash {
  return { kind: 'unusable', flaw }
}
